"""The network for single cells."""

from __future__ import annotations

import keras

from train.networks.fast import plain_network


def cell(side: int, classes: int) -> keras.Model:
    """Build the network, of 247,000 parameters at two classes.

    The layers of `fast` on blocks of 2 x 2 pixels in place of 4 x 4: what tells single cells apart
    is the texture of their nuclei.

    Args:
        side: height and width of the input in pixels; a multiple of 16.
        classes: how many classes there are.

    Returns:
        Input float32 (batch, side, side, 3) in [-1, 1); output probabilities (batch, classes).
    """
    return plain_network(side, classes, block=2, dropout=0.2, name="cell")
