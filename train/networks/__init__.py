"""The networks: each takes normalized RGB images and gives class probabilities.

A byte q enters as `edge.preprocess` says: (q - INPUT_MEAN) / INPUT_STD, so -1 <= x < 1.
"""
