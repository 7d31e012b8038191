"""Files classified while others are decoded: the same answers, in order, whatever lies between."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import Classifier, read_image
from edge.file_classification import classify_files
from edge.smear import render_field


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Twenty JPEGs of several sizes; one cut short, one corrupt within, one that is no image."""
    folder = tmp_path_factory.mktemp("fields")
    files = []
    for number in range(20):
        path = folder / f"{number:02d}.jpg"
        field = render_field("Pre", number, width=200 + 8 * number, height=200)
        assert cv2.imwrite(str(path), field[:, :, ::-1])
        files.append(path)
    files[3].write_bytes(files[3].read_bytes()[:-500])
    spoiled = bytearray(files[11].read_bytes())
    middle = len(spoiled) // 2
    spoiled[middle : middle + 40] = bytes(range(60, 100))
    files[11].write_bytes(bytes(spoiled))
    files[17].write_bytes(b"not an image")
    return files


def test_each_file_is_held_to_what_reading_it_alone_holds_it_to(
    fields: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    missing = fields[0].with_name("missing.jpg")
    files = [*fields[:8], missing, fields[0].parent, *fields[8:]]
    with Classifier.load("fast", 1) as classifier:
        found = list(classify_files(classifier, files))
        assert [one.path for one in found] == files
        for one in found:
            try:
                frame = read_image(one.path)
            except Exception as error:
                assert one.prediction is None
                assert str(one.error) == str(error)
                continue
            assert one.error is None
            assert one.prediction is not None
            assert one.prediction.scores == classifier.classify(frame).scores
            assert one.decode_ms > 0
            assert one.activation is None
    refused = [one.path.name for one in found if one.error is not None]
    assert refused == ["03.jpg", "missing.jpg", fields[0].parent.name, "11.jpg", "17.jpg"]
    assert "JPEG" not in capfd.readouterr().err


def test_one_file_alone(fields: list[Path]) -> None:
    with Classifier.load("fast", 1) as classifier:
        (found,) = classify_files(classifier, fields[:1])
        assert found.prediction is not None
        assert list(classify_files(classifier, [])) == []


def test_large_files_come_one_at_a_time(tmp_path: Path) -> None:
    files = []
    generator = np.random.default_rng(0)
    for number in range(3):
        path = tmp_path / f"{number}.png"
        assert cv2.imwrite(str(path), generator.integers(0, 256, (900, 900, 3), np.uint8))
        files.append(path)
    assert files[0].stat().st_size > 2_000_000
    with Classifier.load("fast", 1) as classifier:
        found = classify_files(classifier, files)
        assert [next(found).path for _ in range(3)] == files
