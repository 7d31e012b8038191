"""Whether a frame shows a place that has been seen."""

from __future__ import annotations

from collections import deque
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

#: Side of the picture that is compared, and the degree of the polynomial that is taken out of its
#: logarithm: light that falls off towards the edges is the same wherever the stage is.
_SIDE = 32
_DEGREE = 4

#: Two frames whose correlation is higher show the same place. Of the 3.3 million pairs of the
#: 2,566 fields of Aria et al.'s set, 79 are above, nearly all of them copies; moving by a tenth of
#: the field gives less.
SAME_PLACE = 0.6

#: Places that are remembered, in 4 MB.
_MOST_PLACES = 1000


class Places:
    """The places of a specimen that were looked at; of more than 1,000 the latest."""

    def __init__(self) -> None:
        self._seen: deque[NDArray[np.float32]] = deque(maxlen=_MOST_PLACES)

    def add(self, frame: NDArray[np.uint8]) -> bool:
        """Take in a frame.

        Args:
            frame: RGB, uint8, shape (height, width, 3).

        Returns:
            Whether it shows a new place. Noise, focus and light make no new place of an old one.
        """
        picture = _picture(frame)
        if any(float(picture @ other) > SAME_PLACE for other in self._seen):
            return False
        self._seen.append(picture)
        return True


def _picture(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what is compared, with mean 0 and length 1; float32, shape (_SIDE * _SIDE,)."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).ravel()
    absorbed = np.log(small.astype(np.float32) + 1.0)
    light = _light()
    detail = absorbed - light @ (light.T @ absorbed)
    return np.asarray(detail / max(float(np.linalg.norm(detail)), 1e-6), np.float32)


@cache
def _light() -> NDArray[np.float32]:
    """Return smooth fields of light, each of length 1 and at right angles to the others."""
    steps = np.linspace(-1.0, 1.0, _SIDE)
    terms = [
        np.outer(steps**down, steps**across).ravel()
        for down in range(_DEGREE + 1)
        for across in range(_DEGREE + 1 - down)
    ]
    return np.linalg.qr(np.stack(terms, axis=1))[0].astype(np.float32)
