"""Balancing of the classes in the training part, and of no other."""
