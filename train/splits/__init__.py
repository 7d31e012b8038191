"""Division of image sets into parts, and what must stay on one side."""
