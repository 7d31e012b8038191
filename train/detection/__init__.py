"""How well cells are found in fields, against boxes that people have drawn."""
