"""Which part of a frame speaks for a class.

Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016, equation 2: where
a network ends in global average pooling and one dense layer, a class's logit is the mean over the
last feature map of that map weighted by the class's weights. So the weighted map says how much each
place adds to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.preprocess import check_frame, seen_part

#: How much of the picture the colours take.
_OPACITY = 0.5

#: Smaller frames are enlarged until their shorter side has this many pixels, but not further than
#: the factor.
_READABLE_SIDE = 448
_MOST_ENLARGED = 4


@dataclass(frozen=True, slots=True, eq=False)
class ActivationHead:
    """What turns a network's last feature map into class activation maps.

    Attributes:
        weights: of the last dense layer, in units of the logit per stored step of the feature map;
            float32, shape (classes, channels).
        zero_point: the stored value of the feature map that stands for 0.
    """

    weights: NDArray[np.float32]
    zero_point: int

    def map_of(self, features: NDArray[np.int8], label: int) -> NDArray[np.float32]:
        """Return what each place adds to a class's logit.

        Args:
            features: the feature map as the network stores it; shape (height, width, channels).
            label: the class's position.

        Returns:
            float32, shape (height, width), in units of the logit; its mean is the logit without
            the bias. Below 0 where a place speaks against the class.
        """
        values = features.astype(np.float32) - np.float32(self.zero_point)
        return np.asarray(np.einsum("hwk,k->hw", values, self.weights[label]), np.float32)


def draw_activation(
    frame: NDArray[np.uint8], activation: NDArray[np.float32], height: int, width: int
) -> NDArray[np.uint8]:
    """Paint over a frame what speaks for its class: the brighter, the more.

    Args:
        frame: RGB, uint8, shape (height, width, 3).
        activation: as `ActivationHead.map_of` gives it, of the part of the frame that the network
            sees; float32, shape (rows, columns).
        height: the network's input height in pixels.
        width: the network's input width in pixels.

    Returns:
        RGB, uint8: the frame, the part that the network does not see as it is; the frame's shape
        times a whole number from 1 to 4, with which small frames are enlarged.

    Raises:
        FrameError: the frame is not RGB uint8.
    """
    check_frame(frame)
    factor = min(_MOST_ENLARGED, -(-_READABLE_SIDE // min(frame.shape[:2])))
    picture = frame.repeat(factor, axis=0).repeat(factor, axis=1)
    rows, columns = seen_part(frame.shape[0], frame.shape[1], height, width)
    seen = picture[
        rows.start * factor : rows.stop * factor, columns.start * factor : columns.stop * factor
    ]
    positive = np.maximum(activation, 0.0)
    highest = float(positive.max())
    shares = positive / highest if highest > 0.0 else positive
    smooth = cv2.resize(shares, (seen.shape[1], seen.shape[0]), interpolation=cv2.INTER_LINEAR)
    bytes_ = np.rint(255.0 * np.clip(smooth, 0.0, 1.0)).astype(np.uint8)
    heat = cv2.cvtColor(cv2.applyColorMap(bytes_, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    seen[...] = cv2.addWeighted(seen, 1.0 - _OPACITY, heat, _OPACITY, 0.0)
    return picture
