"""The share of a class activation on white cells, on fields whose cells are known."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from edge.image_file import decode_image
from edge.smear import render_field
from train.evaluation.activation_energy import activation_energy
from train.evaluation.cell_mask import sure_cell_mask


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    fields = [render_field(label, seed) for seed in range(3) for label in ("Early", "Pre")]
    return np.stack([cv2.resize(one[:480, :480], (224, 224)) for one in fields])


def test_even_maps_have_the_share_of_the_area(images: np.ndarray) -> None:
    energy = activation_energy(images, np.ones((6, 224, 224), np.float32))
    cells = energy["white_cells"]
    area = np.mean([sure_cell_mask(image).mean() for image in images])
    assert 0.02 < area < 0.5
    assert cells["share"] == pytest.approx(area)
    assert cells["area"] == pytest.approx(area)
    assert cells["concentration"] == pytest.approx(1)
    assert cells["concentration_ci95"] == pytest.approx([1, 1])
    assert energy["corner"]["area"] == pytest.approx(48 * 34 / 224**2)
    assert energy["corner"]["concentration"] == pytest.approx(1)


def test_maps_on_cells_and_off_them(images: np.ndarray) -> None:
    masks = np.stack([sure_cell_mask(image) for image in images])
    on = activation_energy(images, masks.astype(np.float32))["white_cells"]
    assert on["share"] == pytest.approx(1)
    assert on["share_ci95"] == pytest.approx([1, 1])
    assert on["concentration"] == pytest.approx(1 / on["area"])
    off = activation_energy(images, (~masks).astype(np.float32))["white_cells"]
    assert off["share"] == 0
    assert off["concentration"] == 0


def test_share_is_a_mean_over_images_whatever_their_strength(images: np.ndarray) -> None:
    maps = np.stack([sure_cell_mask(image).astype(np.float32) for image in images])
    maps[1] = 1 - maps[1]
    maps[1] *= 1000
    cells = activation_energy(images, maps)["white_cells"]
    assert cells["share"] == pytest.approx(5 / 6)
    assert cells["share_ci95"][0] < 5 / 6 < cells["share_ci95"][1]


def test_corner_is_the_bottom_right(images: np.ndarray) -> None:
    maps = np.zeros((6, 224, 224), np.float32)
    maps[:, -34:, -48:] = 1
    assert activation_energy(images, maps)["corner"]["share"] == pytest.approx(1)
    assert activation_energy(images, maps[:, ::-1])["corner"]["share"] == 0


def test_images_without_activation_or_cells_are_counted_and_left_out(images: np.ndarray) -> None:
    fields = images.copy()
    fields[0] = 230
    maps = np.ones((6, 224, 224), np.float32)
    maps[1] = 0
    energy = activation_energy(fields, maps)
    assert (energy["n_without_activation"], energy["n_without_cells"]) == (1, 1)
    assert (energy["white_cells"]["n"], energy["corner"]["n"]) == (4, 5)
    nothing = activation_energy(fields, np.zeros_like(maps))
    assert nothing["n_without_activation"] == 6
    assert nothing["white_cells"]["share"] is None
    assert nothing["white_cells"]["concentration_ci95"] is None


def test_an_empty_field_has_no_cells() -> None:
    assert not sure_cell_mask(np.full((224, 224, 3), 235, np.uint8)).any()


def test_cells_lie_where_people_have_marked_them(shared: Path) -> None:
    """BCCD's boxes: what is marked is white cell, and nearly every white cell is marked."""
    inside, found, boxes_in_all = [], 0, 0
    for annotation in sorted((shared / "data" / "bccd").rglob("*.xml"))[:60]:
        root = ElementTree.parse(annotation).getroot()
        (picture,) = (shared / "data" / "bccd").rglob(f"{annotation.stem}.jp*g")
        mask = sure_cell_mask(decode_image(picture.read_bytes(), picture.name))
        boxes = [
            tuple(
                int(one.findtext(f"bndbox/{side}", "0"))
                for side in ("xmin", "ymin", "xmax", "ymax")
            )
            for one in root.iter("object")
            if one.findtext("name") == "WBC"
        ]
        covered = np.zeros_like(mask)
        for left, top, right, bottom in boxes:
            covered[top:bottom, left:right] = True
            found += mask[top:bottom, left:right].mean() > 0.15
        boxes_in_all += len(boxes)
        if boxes:
            inside.append((mask & covered).sum() / max(1, mask.sum()))
    assert len(inside) > 50
    assert np.median(inside) > 0.9
    assert found / boxes_in_all > 0.9
