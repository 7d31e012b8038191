"""Preprocessing: what it gives, and what it refuses."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from edge.errors import FrameError
from edge.preprocess import preprocess
from edge.side_thread import SideThread


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_frame_of_input_size_passes_unchanged() -> None:
    frame = noise(224, 224)
    result = preprocess(frame, 224, 224)
    assert np.array_equal(result, frame)
    assert result is not frame


@pytest.mark.parametrize("factor", [2, 3, 5, 7])
def test_whole_factor_is_the_rounded_mean_of_blocks(factor: int) -> None:
    frame = noise(32 * factor, 32 * factor)
    blocks = frame.reshape(32, factor, 32, factor, 3).astype(np.float64)
    mean = blocks.mean(axis=(1, 3))
    # Exact halves may go either way.
    assert np.abs(preprocess(frame, 32, 32) - mean).max() <= 0.5


@pytest.mark.parametrize("factor", [8, 12, 16])
def test_every_other_row_of_large_blocks_counts(factor: int) -> None:
    frame = noise(32 * factor, 32 * factor)
    changed = frame.copy()
    changed[1::2] = 255 - changed[1::2]
    result = preprocess(frame, 32, 32)
    assert np.array_equal(preprocess(changed, 32, 32), result)
    blocks = frame[::2].reshape(32, factor // 2, 32, factor, 3).astype(np.float64)
    # A half at most in each of two roundings, and the first rounds halves up.
    assert np.abs(result - blocks.mean(axis=(1, 3))).max() <= 1.0


@pytest.mark.parametrize(
    ("size", "kept"),
    [
        # Height and width of the frame, and of its middle that counts.
        ((480, 640), (448, 448)),
        ((251, 251), (224, 224)),
        ((700, 900), (672, 672)),
        ((2000, 2100), (1792, 1792)),
    ],
)
def test_margin_of_less_than_an_eighth_is_cut_off(
    size: tuple[int, int], kept: tuple[int, int]
) -> None:
    frame = noise(*size)
    top, left = (size[0] - kept[0]) // 2, (size[1] - kept[1]) // 2
    middle = frame[top : top + kept[0], left : left + kept[1]]
    result = preprocess(frame, 224, 224)
    assert np.array_equal(result, preprocess(middle.copy(), 224, 224))
    outside = np.full_like(frame, 255)
    outside[top : top + kept[0], left : left + kept[1]] = middle
    assert np.array_equal(preprocess(outside, 224, 224), result)


def test_an_eighth_more_is_interpolated() -> None:
    frame = noise(252, 252)
    expected = cv2.resize(frame, (224, 224), interpolation=cv2.INTER_LINEAR_EXACT)
    assert np.array_equal(preprocess(frame, 224, 224), expected)


def test_wide_frame_gives_its_middle() -> None:
    frame = np.zeros((480, 640, 3), np.uint8)
    frame[:, 80:560] = 200
    assert (preprocess(frame, 224, 224) == 200).all()


def test_tall_frame_gives_its_middle() -> None:
    frame = np.zeros((640, 480, 3), np.uint8)
    frame[80:560] = 200
    assert (preprocess(frame, 224, 224) == 200).all()


def test_crop_follows_the_aspect_ratio_of_the_input() -> None:
    frame = np.zeros((400, 400, 3), np.uint8)
    frame[100:300] = 77
    assert (preprocess(frame, 100, 200) == 77).all()


def test_small_frame_is_enlarged() -> None:
    result = preprocess(noise(100, 80), 224, 224)
    assert result.shape == (224, 224, 3)
    assert result.dtype == np.uint8


def test_channels_stay_in_their_order() -> None:
    frame = np.full((300, 300, 3), (250, 100, 10), np.uint8)
    assert preprocess(frame, 128, 128)[64, 64].tolist() == [250, 100, 10]


@pytest.mark.parametrize("size", [(480, 640), (448, 448), (224, 224), (100, 80), (700, 225)])
def test_result_is_written_into_the_given_memory(size: tuple[int, int]) -> None:
    memory = np.zeros((1, 224, 224, 3), np.uint8)
    result = preprocess(noise(*size), 224, 224, out=memory[0])
    assert np.shares_memory(result, memory)
    assert np.array_equal(memory[0], preprocess(noise(*size), 224, 224))


@pytest.mark.parametrize("side", [224, 96, 31])
def test_two_threads_give_what_one_gives(side: int) -> None:
    beside = SideThread()
    for more in (0, 1, 7, 30, side - 1):
        frame = noise(1000 + side + more, 1200 + 2 * more, seed=more)
        alone = preprocess(frame, side, side)
        assert np.array_equal(preprocess(frame, side, side, side=beside), alone)
    beside.close()


def test_view_of_a_larger_frame_is_like_its_copy() -> None:
    large = noise(700, 900)
    view = large[50:650, 100:800]
    assert np.array_equal(preprocess(view, 224, 224), preprocess(view.copy(), 224, 224))


def test_reversed_channels_are_like_their_copy() -> None:
    bgr = noise(480, 640)
    view = bgr[:, :, ::-1]
    assert np.array_equal(preprocess(view, 224, 224), preprocess(view.copy(), 224, 224))


def test_reduction_does_not_alias() -> None:
    """A pattern finer than the input's pixels averages out instead of turning into stripes."""
    frame = np.zeros((1344, 1344, 3), np.uint8)
    frame[:, ::2] = 255
    assert np.ptp(preprocess(frame, 224, 224).astype(int)) <= 1


def test_result_is_the_same_as_ever() -> None:
    """Digests of outputs: any change of the arithmetic changes what every model was trained on."""
    digest = hashlib.sha256()
    for height, width in ((3040, 4056), (480, 640), (1080, 1920), (223, 225), (80, 100)):
        frame = noise(height, width, seed=height)
        for side in (224, 128):
            digest.update(preprocess(frame, side, side).tobytes())
    assert digest.hexdigest() == GOLDEN_DIGEST


GOLDEN_DIGEST = "ad4502d3a3e08066c624053877ab946509b32ddbcf4fab258e33a9b99f5a4dcf"


@pytest.mark.parametrize(
    ("frame", "got"),
    [
        (np.zeros((10, 10, 3), np.float32), "float32"),
        (np.zeros((10, 10, 3), np.uint16), "uint16"),
        (np.zeros((10, 10), np.uint8), r"shape \(10, 10\)"),
        (np.zeros((10, 10, 4), np.uint8), r"shape \(10, 10, 4\)"),
        (np.zeros((10, 10, 1), np.uint8), r"shape \(10, 10, 1\)"),
        (np.zeros((0, 10, 3), np.uint8), r"shape \(0, 10, 3\)"),
        (np.zeros((1, 10, 10, 3), np.uint8), "shape"),
        ([[1, 2, 3]], "a list"),
        (None, "NoneType"),
    ],
)
def test_anything_but_an_rgb_frame_is_refused(frame: object, got: str) -> None:
    with pytest.raises(FrameError, match=f"Got: .*{got}"):
        preprocess(frame, 224, 224)  # type: ignore[arg-type]


def test_linear_step_is_opencvs_exact_one() -> None:
    frame = noise(300, 300)
    expected = cv2.resize(frame, (224, 224), interpolation=cv2.INTER_LINEAR_EXACT)
    assert np.array_equal(preprocess(frame, 224, 224), expected)
