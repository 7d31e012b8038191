"""Training: image sets, leak-free splits, balancing, the networks, fitting and evaluation."""
