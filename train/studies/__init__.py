"""Grids of training runs, measured alike and set side by side with what they rest on."""
