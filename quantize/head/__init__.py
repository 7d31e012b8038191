"""A linear head on a frozen int8 backbone: a new model within seconds, without a training."""
