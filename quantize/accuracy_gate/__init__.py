"""The accuracy gate: what int8 may lose, what it did lose, and whether the images can tell."""
