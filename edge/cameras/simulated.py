"""A simulated microscope: drawn fields of view, for demonstrations and tests without a camera."""

from __future__ import annotations

import time

import numpy as np

from edge.cameras.base import Camera, Frame
from edge.errors import CameraError
from edge.labels import SMEAR_LABELS
from edge.smear import render_field


class SimulatedCamera(Camera):
    """An endless stream of rendered fields of view.

    The stream depends on the arguments alone: the same seed gives the same frames, and opening
    the camera again starts it from the beginning.

    Args:
        label: the class of every field, one of `SMEAR_LABELS`; None shows all classes, each
            once in every four frames and in an order drawn from the seed.
        seed: what the stream is drawn from, 0 or more.
        width: frame width in pixels.
        height: frame height in pixels.
        frames_per_s: frames come at this rate, as from a live microscope, and one that is not read
            in time is skipped; None draws the next frame whenever it is asked for.

    Attributes:
        last_label: the true class of the frame read last; None before the first one.

    Raises:
        CameraError: the label is unknown, the seed negative, or the size or rate not positive.
    """

    def __init__(
        self,
        label: str | None = None,
        seed: int = 0,
        width: int = 640,
        height: int = 480,
        frames_per_s: float | None = None,
    ) -> None:
        if label is not None and label not in SMEAR_LABELS:
            raise CameraError(
                "A simulated field shows one of the known classes",
                got=repr(label),
                next_step=f"Choose one of {', '.join(SMEAR_LABELS)}, or none for all of them",
            )
        still = frames_per_s is not None and frames_per_s <= 0
        if seed < 0 or width <= 0 or height <= 0 or still:
            raise CameraError(
                "A simulated camera has a seed of 0 or more, and a positive size and rate",
                got=f"seed {seed}, {width} x {height} pixels, {frames_per_s} frames a second",
                next_step="Correct these options",
            )
        self.name = "simulated" if label is None else f"simulated:{label}"
        self.last_label: str | None = None
        self._label = label
        self._seed = seed
        self._width = width
        self._height = height
        self.is_live = frames_per_s is not None
        self._frames_per_s = frames_per_s
        self._began_s = 0.0
        self._next: int | None = None

    def open(self) -> None:
        """Start the stream from its beginning."""
        self._next = 0
        self._began_s = time.monotonic()
        self.last_label = None

    def read(self, timeout_s: float = 3.0) -> Frame:
        """Render the next field.

        Args:
            timeout_s: the longest wait in seconds, where frames come at a rate.

        Returns:
            The frame; a simulation never ends.

        Raises:
            CameraError: the camera is not open, or the next frame is not due in time.
        """
        if self._next is None:
            raise self.not_open()
        number = self._wait_for_frame(self._next, timeout_s)
        captured_s = time.monotonic()
        label = self._label_of(number)
        drawn = np.random.SeedSequence((self._seed, number)).generate_state(1)
        pixels = render_field(label, int(drawn[0]), width=self._width, height=self._height)
        skipped, self._next = number - self._next, number + 1
        self.last_label = label
        return Frame(pixels, sequence=number, captured_s=captured_s, skipped=skipped)

    def close(self) -> None:
        """End the stream."""
        self._next = None

    def _wait_for_frame(self, following: int, timeout_s: float) -> int:
        """Wait until a frame is due and return its number; earlier ones are gone by then."""
        if self._frames_per_s is None:
            return following
        passed_s = time.monotonic() - self._began_s
        number = max(following, int(passed_s * self._frames_per_s))
        wait_s = number / self._frames_per_s - passed_s
        if wait_s > timeout_s:
            time.sleep(max(timeout_s, 0.0))
            raise CameraError(
                f"{self.name} delivers a frame within {timeout_s:g} s",
                got=f"{self._frames_per_s:g} frames a second",
                next_step="Wait longer, or choose a higher rate",
            )
        time.sleep(max(wait_s, 0.0))
        return number

    def _label_of(self, number: int) -> str:
        """Return the class of a frame: rounds of all classes, each round in an order of its own."""
        if self._label is not None:
            return self._label
        turn, place = divmod(number, len(SMEAR_LABELS))
        order = np.random.default_rng((self._seed, turn)).permutation(len(SMEAR_LABELS))
        return SMEAR_LABELS[int(order[place])]
