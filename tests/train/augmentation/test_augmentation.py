"""Augmentation: it changes images in training, and only in the ways it says."""

from __future__ import annotations

import cv2
import keras
import numpy as np
import pytest

from edge.errors import TrainingError
from edge.smear import render_field
from train.augmentation.absorption import RandomAbsorption
from train.augmentation.camera import RandomDefocus, RandomJpeg, RandomNoise
from train.augmentation.corner import RandomCorner
from train.augmentation.hue import RandomHue
from train.augmentation.piece import RandomPiece
from train.augmentation.rotation import RandomRotation
from train.augmentation.sequence import AUGMENTATIONS, augmentation_layers
from train.augmentation.share import RandomShare
from train.augmentation.turn import RandomTurn


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 16, 16, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def fields() -> np.ndarray:
    return np.stack([render_field("Early", seed, width=64, height=64) for seed in range(8)])


def run(layer: keras.layers.Layer, images: np.ndarray, **options: bool) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(layer(images, **options)))


def in_lab(images: np.ndarray) -> np.ndarray:
    """CIELAB by OpenCV: L* 0..100, a* and b* around 0."""
    return np.stack(
        [cv2.cvtColor(one.astype(np.float32) / 255, cv2.COLOR_RGB2Lab) for one in images]
    )


def test_turns_are_the_eight_orientations_and_all_occur(images: np.ndarray) -> None:
    turned = run(RandomTurn(), images, training=True)
    seen = set()
    for before, after in zip(images, turned, strict=True):
        orientations = [
            np.rot90(flipped, turns) for flipped in (before, before[::-1]) for turns in range(4)
        ]
        matches = [n for n, one in enumerate(orientations) if np.array_equal(one, after)]
        assert len(matches) == 1
        seen.update(matches)
    assert len(seen) == 8


@pytest.mark.parametrize("count", [1, 3, 8, 13])
def test_any_batch_size_keeps_its_images(images: np.ndarray, count: int) -> None:
    """The last batch of an epoch may be small; no image is lost, doubled or moved."""
    batch = images[:count]
    layers = augmentation_layers(list(AUGMENTATIONS), 0)
    model_input = keras.Input((16, 16, 3))
    output = model_input
    for layer in layers:
        output = layer(output)
    changed = run(keras.Model(model_input, output), batch, training=True)
    assert changed.shape == batch.shape
    assert np.isfinite(changed).all()
    turned = run(RandomTurn(), batch, training=True)
    assert np.allclose(turned.sum(axis=(1, 2)), batch.sum(axis=(1, 2)))


def test_rotation_takes_every_angle_about_the_middle_with_black_around() -> None:
    rows, columns = np.mgrid[0:65, 0:65] - 32.0
    spot = 200 * np.exp(-((rows + 20) ** 2 + columns**2) / 8)
    batch = np.tile(spot[None, :, :, None].astype(np.float32), (256, 1, 1, 3))
    turned = run(RandomRotation(share=1.0, seed=3), batch, training=True)[..., 0]
    weights = turned / turned.sum(axis=(1, 2), keepdims=True)
    y, x = (weights * rows).sum(axis=(1, 2)), (weights * columns).sum(axis=(1, 2))
    radius = np.hypot(y, x) / 20
    assert np.exp(-0.08) - 0.01 < radius.min() < 0.95
    assert 1.05 < radius.max() < np.exp(0.08) + 0.01
    eighths = np.floor((np.arctan2(y, x) + np.pi) / (np.pi / 4)).astype(int) % 8
    assert set(eighths.tolist()) == set(range(8))

    white = np.full((64, 16, 16, 3), 255.0, np.float32)
    corners = run(RandomRotation(seed=3), white, training=True)[:, 0, 0]
    assert (corners == 0).any(), "what comes in from outside is black"
    assert np.ptp(corners, axis=1).max() == 0
    np.testing.assert_array_equal(run(RandomRotation(seed=3), batch, training=False), batch)

    some = run(RandomRotation(seed=3), batch, training=True)
    same = (np.abs(some - batch).max(axis=(1, 2, 3)) < 1e-3).mean()
    assert 0.35 < same < 0.65, "half of the images stay as they are, as a device has them"


def test_pieces_come_from_everywhere_in_their_own_scale() -> None:
    rows, columns = np.mgrid[0:8, 0:10].astype(np.float32)
    batch = np.tile(np.stack([rows, columns, rows], axis=-1), (3, 1, 1, 1))
    layer = RandomPiece(5, seed=0)

    places = set()
    for _ in range(200):
        piece = run(layer, batch, training=True)
        assert piece.shape == (3, 5, 5, 3)
        top, left = piece[0, 0, 0, :2].astype(int)
        np.testing.assert_array_equal(piece, batch[:, top : top + 5, left : left + 5])
        places.add((top, left))

    assert places == {(top, left) for top in range(4) for left in range(6)}
    np.testing.assert_array_equal(run(layer, batch, training=False), batch)


def test_pieces_go_through_their_changes_and_wholes_do_not(images: np.ndarray) -> None:
    layers = augmentation_layers(("corner", "turn", "stain"), 1, piece=5)
    assert [type(layer) for layer in layers] == [RandomCorner, RandomPiece]
    layer = RandomPiece(5, seed=1, changes=[RandomAbsorption(exposure=0.2)])
    pieces = run(layer, images, training=True)
    assert pieces.shape == (len(images), 5, 5, 3)
    assert np.abs(pieces - run(RandomPiece(5, seed=1), images, training=True)).max() > 1
    np.testing.assert_array_equal(run(layer, images, training=False), images)


def test_absorption_changes_each_image_its_own_way_and_keeps_the_range(images: np.ndarray) -> None:
    changed = run(RandomAbsorption(0.3, 0.3, 0.15, 0.1, seed=1), images, training=True)
    assert changed.min() >= 0.0
    assert changed.max() <= 255.0
    changes = (changed - images).mean(axis=(1, 2))
    assert len({tuple(np.round(change, 3)) for change in changes}) == len(images)


def test_channel_density_keeps_the_order_of_brightness(images: np.ndarray) -> None:
    changed = run(RandomAbsorption(channel=0.3, seed=1), images, training=True)
    order = np.argsort(images[..., 0].reshape(len(images), -1), axis=1)
    channel = np.take_along_axis(changed[..., 0].reshape(len(images), -1), order, axis=1)
    assert (np.diff(channel, axis=1) >= -1e-3).all()


def test_stain_leaves_what_has_no_stain(images: np.ndarray) -> None:
    """White absorbs nothing: no change of a stain's amount shows there, but an exposure does."""
    white = np.full_like(images, 255.0)
    assert np.abs(run(RandomAbsorption(stain=0.3), white, training=True) - white).max() < 0.01
    dimmed = run(RandomAbsorption(exposure=0.2), white, training=True)
    assert dimmed.min() < 240
    assert np.ptp(dimmed, axis=3).max() < 0.01, "exposure leaves grey grey"
    tinted = run(RandomAbsorption(white_balance=0.2), white, training=True)
    assert np.ptp(tinted, axis=3).max() > 10


def test_no_strength_is_no_change(images: np.ndarray) -> None:
    same = run(RandomAbsorption(), images, training=True)
    assert np.abs(same - images).max() < 0.01
    same = run(RandomHue(0.0, 0.0, 0.0), images)
    assert np.abs(same - images).max() < 0.1


def test_hue_turns_colours_in_cielab_and_keeps_lightness(fields: np.ndarray) -> None:
    """Held against OpenCV's CIELAB; the layer takes the curves as plain powers."""
    changed = run(RandomHue(20.0, 0.0, 0.0, seed=3), fields.astype(np.float32))
    before, after = in_lab(fields), in_lab(changed)
    assert np.abs(after[..., 0] - before[..., 0]).mean() < 2.0
    strong = np.hypot(before[..., 1], before[..., 2]) > 15
    angle = np.arctan2(after[..., 2], after[..., 1]) - np.arctan2(before[..., 2], before[..., 1])
    angle = np.degrees((angle + np.pi) % (2 * np.pi) - np.pi)
    turns = [np.median(angle[index][strong[index]]) for index in range(len(fields))]
    assert max(map(abs, turns)) < 24
    assert np.std(turns) > 5


def test_defocus_takes_detail_and_keeps_the_mean(fields: np.ndarray) -> None:
    sharp = fields.astype(np.float32)
    blurred = run(RandomDefocus(2.0, seed=1), sharp)
    detail = [np.abs(np.diff(one, axis=1)).mean(axis=(1, 2, 3)) for one in (sharp, blurred)]
    assert (detail[1] < detail[0]).all()
    assert np.allclose(blurred.mean(axis=(1, 2, 3)), sharp.mean(axis=(1, 2, 3)), atol=1.0)
    flat = np.full((4, 16, 16, 3), 77.0, np.float32)
    assert np.allclose(run(RandomDefocus(2.0), flat), flat, atol=1e-3)


def test_noise_is_centred_and_no_stronger_than_said() -> None:
    grey = np.full((32, 32, 32, 3), 128.0, np.float32)
    noise = run(RandomNoise(10.0, seed=1), grey) - grey
    assert abs(noise.mean()) < 0.3
    deviations = noise.std(axis=(1, 2, 3))
    assert deviations.max() < 11
    assert np.ptp(deviations) > 5


def test_jpeg_is_like_the_codec(fields: np.ndarray) -> None:
    """At one quality, without halved chrominance, it is nearly what OpenCV's encoder leaves.

    The encoder rounds luminance and chrominance to whole numbers before it transforms them.
    """
    ours = run(RandomJpeg(quality=95, seed=1), fields.astype(np.float32))
    options = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    files = [cv2.imencode(".jpg", one[..., ::-1], options)[1] for one in fields]
    theirs = np.stack([cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1] for file in files])
    assert np.abs(ours - theirs).mean() < 0.6 * np.abs(theirs.astype(float) - fields).mean()
    coarse = run(RandomJpeg(quality=20, seed=1), fields.astype(np.float32))
    assert np.abs(coarse - fields).mean() > 2 * np.abs(ours - fields).mean()


def test_corner_is_kept_mirrored_or_anothers(images: np.ndarray) -> None:
    layer = RandomCorner(0.25, 0.25, seed=0)
    changed = run(layer, images, training=True)
    rest = np.ones((16, 16), bool)
    rest[12:, 12:] = False
    assert np.array_equal(changed[:, rest], images[:, rest])
    kinds = set()
    for index, image in enumerate(changed):
        corner = image[12:, 12:]
        for kind, expected in (
            ("kept", images[index, 12:, 12:]),
            ("mirrored", images[index, 12:, 8:12][:, ::-1]),
            ("swapped", images[index - 1, 12:, 12:]),
        ):
            if np.array_equal(corner, expected):
                kinds.add(kind)
                break
        else:
            pytest.fail("the corner is of another kind")
    assert kinds == {"kept", "mirrored", "swapped"}


def test_shares_go_by_turns(images: np.ndarray) -> None:
    class Black(keras.layers.Layer):
        def call(self, images: object) -> object:
            return keras.ops.zeros_like(images)

    changed = run(RandomShare([None, Black(), None, None]), images[:14], training=True)
    black = (changed == 0).all(axis=(1, 2, 3))
    assert np.flatnonzero(black).tolist() == [1, 5, 9]
    assert np.array_equal(changed[~black], images[:14][~black])


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_changes_images_in_training_alone(name: str, images: np.ndarray) -> None:
    (layer,) = augmentation_layers([name], 1)
    assert np.array_equal(run(layer, images, training=False), images)
    changed = run(layer, images, training=True)
    # The corner is mirrored or exchanged in two thirds; the camera's changes meet a share each.
    share = (np.abs(changed - images).max(axis=(1, 2, 3)) > 0.01).mean()
    assert share > 0.1


def test_unknown_name_is_refused() -> None:
    with pytest.raises(TrainingError, match="Got: sharpen"):
        augmentation_layers(["turn", "sharpen"], 0)
