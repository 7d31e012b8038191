"""Which images models are compared on, and what their outputs are called."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.bench.images import choose_part, find_images, settle_labels
from edge.errors import DatasetError, SplitError
from train.image_set import read_image_set
from train.splits.split import Split, write_split


@pytest.fixture
def images(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    for label in ("Pro", "Early"):
        folder = tmp_path / "images" / label
        folder.mkdir(parents=True)
        for number in range(4):
            pixels = generator.integers(0, 256, (9, 9, 3)).astype(np.uint8)
            cv2.imwrite(str(folder / f"{number}.png"), pixels)
    (tmp_path / "images" / "notes.txt").write_text("x")
    return tmp_path / "images"


@pytest.fixture
def split(images: Path, tmp_path: Path) -> Path:
    """A split as training writes it; the images have then moved to other names."""
    image_set = read_image_set(images, 9, 9)
    parts = ("train", "test", "validation", "train") * 2
    path = tmp_path / "split.csv"
    write_split(path, Split(image_set.paths, image_set.digests, parts, tuple(range(8))))
    (images / "Early" / "1.png").rename(images / "Early" / "moved.png")
    return path


def test_images_lie_in_class_folders(images: Path) -> None:
    found = find_images(images)
    assert found.classes == ("Early", "Pro")
    assert [path.name for path in found.paths] == ["0.png", "1.png", "2.png", "3.png"] * 2
    assert found.labels == ("Early",) * 4 + ("Pro",) * 4
    shutil.move(images, images.parent / "Original")
    assert find_images(images.parent).folder == images.parent / "Original"


def test_part_is_found_by_content(images: Path, split: Path) -> None:
    chosen, missing = choose_part(find_images(images), split, "test")
    assert [f"{path.parent.name}/{path.name}" for path in chosen.paths] == [
        "Early/moved.png",
        "Pro/1.png",
    ]
    assert (chosen.labels, missing) == (("Early", "Pro"), 0)
    assert len(choose_part(find_images(images), split, "train")[0].paths) == 4
    assert len(choose_part(find_images(images), split, "all")[0].paths) == 8


def test_images_of_the_part_that_are_gone_are_counted(images: Path, split: Path) -> None:
    (images / "Pro" / "1.png").unlink()
    chosen, missing = choose_part(find_images(images), split, "test")
    assert (len(chosen.paths), missing) == (1, 1)
    (images / "Early" / "moved.png").unlink()
    with pytest.raises(DatasetError, match="none of its 2"):
        choose_part(find_images(images), split, "test")


@pytest.mark.parametrize(
    "text", ["", "path,part,group,sha256\n", "path,part\na,test\n", "part,sha256\ntest\n", "\0"]
)
def test_other_files_are_no_split(images: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(SplitError, match=r"other\.csv"):
        choose_part(find_images(images), path, "test")
    with pytest.raises(SplitError, match="absent"):
        choose_part(find_images(images), tmp_path / "absent", "test")


def test_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Pro").mkdir()
    with pytest.raises(DatasetError, match="no image in the folders"):
        find_images(tmp_path)
    with pytest.raises(DatasetError, match="not there"):
        find_images(tmp_path / "absent")


def test_labels_come_from_card_then_option_then_other_card_then_folders(images: Path) -> None:
    folder = find_images(images)
    card = ("Pro", "Early")
    plain = ("plain", None, 2)
    assert settle_labels([plain, ("own", card, 2)], None, folder) == [card, card]
    assert settle_labels([plain], None, folder) == [("Early", "Pro")]
    given = ("Pre", "Pro", "Early")
    assert settle_labels([("plain", None, 3)], given, folder) == [given]
    assert settle_labels([plain, ("own", card, 2)], ("Early", "Pro"), folder) == [
        ("Early", "Pro"),
        card,
    ]
    assert settle_labels([plain], None, None) == [("class 0", "class 1")]


def test_labels_that_do_not_fit_are_refused(images: Path) -> None:
    folder = find_images(images)
    with pytest.raises(DatasetError, match=r"plain has 3 outputs.*Got: 2: Early, Pro"):
        settle_labels([("plain", None, 3)], None, folder)
    with pytest.raises(DatasetError, match="know the same classes"):
        settle_labels([("a", ("Early", "Pro"), 2), ("b", ("Early", "Pre"), 2)], None, folder)
    with pytest.raises(DatasetError, match="Got: Early under"):
        settle_labels([("a", ("Pre", "Pro"), 2)], None, folder)
