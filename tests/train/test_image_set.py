"""Folders of images: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import DatasetError
from edge.image_file import read_image
from edge.preprocess import preprocess
from train.image_set import read_image_set, read_usable_images


def write_images(folder: Path, count: int, seed: int = 0) -> None:
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    for number in range(count):
        cv2.imwrite(str(folder / f"{number}.png"), generator.integers(0, 256, (40, 50, 3)))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for seed, label in enumerate(("Pro", "Benign")):
        write_images(tmp_path / label, 3, seed)
    return tmp_path


def test_images_are_those_of_the_one_preprocessing(data: Path) -> None:
    calls: list[tuple[int, int]] = []
    image_set = read_image_set(data, 32, 32, progress=lambda *call: calls.append(call))
    assert image_set.labels == ("Benign", "Pro")
    assert image_set.targets.tolist() == [0, 0, 0, 1, 1, 1]
    assert image_set.paths[0] == "Benign/0.png"
    for path, image in zip(image_set.paths, image_set.images, strict=True):
        assert np.array_equal(image, preprocess(read_image(data / path), 32, 32))
    assert calls[-1] == (6, 6)
    assert len(set(image_set.digests)) == 6


def test_original_folder_is_found(data: Path, tmp_path: Path) -> None:
    nested = tmp_path / "set"
    nested.mkdir()
    (nested / "Original").mkdir()
    for label in ("Pro", "Benign"):
        (data / label).rename(nested / "Original" / label)
    write_images(nested / "Segmented" / "Pro", 2)
    assert len(read_image_set(nested, 32, 32)) == 6


def test_given_labels_set_the_order_and_may_be_absent(data: Path) -> None:
    image_set = read_image_set(data, 32, 32, labels=("Pro", "Early", "Benign"))
    assert image_set.targets.tolist() == [0, 0, 0, 2, 2, 2]
    with pytest.raises(DatasetError, match="Got: Pro under"):
        read_image_set(data, 32, 32, labels=("Benign", "Early"))


def test_digest_tells_versions_of_the_data_apart(data: Path) -> None:
    before = read_image_set(data, 32, 32).digest()
    assert read_image_set(data, 16, 16).digest() == before
    (data / "Pro" / "0.png").rename(data / "Benign" / "9.png")
    assert read_image_set(data, 32, 32).digest() != before


def test_missing_empty_and_single_class_folders_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"not there.*Lay the images out"):
        read_image_set(tmp_path / "absent", 32, 32)
    with pytest.raises(DatasetError, match="a file"):
        read_image_set(data / "Pro" / "0.png", 32, 32)
    with pytest.raises(DatasetError, match="no folder inside"):
        read_image_set(data / "Pro", 32, 32)
    (data / "Early").mkdir()
    with pytest.raises(DatasetError, match="none in Early"):
        read_image_set(data, 32, 32)
    write_images(tmp_path / "one" / "Pro", 2)
    with pytest.raises(DatasetError, match=r"only \['Pro'\]"):
        read_image_set(tmp_path / "one", 32, 32)


def test_all_unreadable_images_are_named(data: Path) -> None:
    (data / "Pro" / "text.jpg").write_text("no picture")
    cv2.imwrite(str(data / "Benign" / "deep.png"), np.zeros((9, 9, 3), np.uint16))
    cv2.imwrite(str(data / "Benign" / "grey.png"), np.zeros((9, 9), np.uint8))
    with pytest.raises(DatasetError, match="3 that are not") as caught:
        read_image_set(data, 32, 32)
    for name in ("text.jpg", "deep.png", "grey.png"):
        assert name in str(caught.value)


def test_damaged_jpegs_are_found_among_many(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """OpenCV fills what is lost with grey, and says so on standard error alone."""
    generator = np.random.default_rng(0)
    for label in ("Benign", "Pro"):
        (tmp_path / label).mkdir()
        for number in range(100):
            noise = generator.integers(0, 256, (60, 60, 3), np.uint8)
            cv2.imwrite(str(tmp_path / label / f"{number:02}.jpg"), noise)
    damaged, cut = tmp_path / "Pro" / "40.jpg", tmp_path / "Benign" / "07.jpg"
    data = damaged.read_bytes()
    damaged.write_bytes(data[: len(data) // 2] + b"\xff\xd9")
    cut.write_bytes(cut.read_bytes()[:1500])
    image_set, unreadable = read_usable_images(tmp_path, 32, 32)
    assert [one.path for one in unreadable] == ["Benign/07.jpg", "Pro/40.jpg"]
    assert "Corrupt JPEG data" in unreadable[1].reason
    assert unreadable[1].label == "Pro"
    assert len(image_set) == 198
    for index in (0, 7, 99, 150, 197):
        path = tmp_path / image_set.paths[index]
        assert np.array_equal(image_set.images[index], preprocess(read_image(path), 32, 32))
    assert image_set.targets.tolist() == [0] * 99 + [1] * 99
    assert capfd.readouterr().err == ""
    with pytest.raises(DatasetError, match=r"2 that are not.*40\.jpg: Corrupt JPEG"):
        read_image_set(tmp_path, 32, 32)


def test_error_names_some_of_many_unreadable_images(data: Path) -> None:
    for number in range(30):
        (data / "Pro" / f"text{number}.jpg").write_text("no picture")
    with pytest.raises(DatasetError, match=r"30 that are not.*and more") as caught:
        read_image_set(data, 32, 32)
    assert str(caught.value).count("no image") == 20


def test_image_too_narrow_to_crop_is_named(data: Path) -> None:
    cv2.imwrite(str(data / "Pro" / "narrow.png"), np.zeros((300, 1, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"narrow\.png: shape \(300, 1, 3\)"):
        read_image_set(data, 8, 300)


def test_real_images_are_all_undamaged(shared: Path) -> None:
    """No false alarm on 3,659 real files."""
    assert read_usable_images(shared / "data" / "all4", 32, 32)[1] == ()
    assert read_usable_images(shared / "data" / "cnmc" / "fold_1", 32, 32)[1] == ()
