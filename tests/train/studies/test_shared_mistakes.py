"""Images that several networks get wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edge.cli.main import run
from edge.errors import TrainingError
from train.image_set import ImageSet, read_image_set
from train.studies.shared_mistakes import doubtful_images, overlaps, read_verdicts


@pytest.fixture(scope="module")
def image_set(smears: Path) -> ImageSet:
    return read_image_set(smears, 224, 224)


def _study(
    folder: Path, measured_run: Path, network: str, division: str, wrong: dict[int, int]
) -> dict[str, list[object]]:
    """Put a measured run into a study, wrong on some of its test images and right on all others."""
    out = folder / "runs" / network / division
    out.mkdir(parents=True)
    held = json.loads((measured_run / "measurement-test.json").read_text())
    images: dict[str, list[object]] = held["images"]
    images["predicted"]["as they are"] = [  # type: ignore[call-overload]
        wrong.get(place, target) for place, target in enumerate(images["target"])
    ]
    (out / "measurement-test.json").write_text(json.dumps(held))
    return images


def test_what_networks_share_is_set_beside_chance(
    tmp_path: Path, measured_run: Path, image_set: ImageSet
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    # The test part has five images of each class, in the classes' order.
    images = _study(one, measured_run, "custom-cnn", "random-0", {0: 1, 1: 1, 7: 2, 8: 3})
    _study(one, measured_run, "custom-cnn", "random-1", {0: 1, 1: 1})
    _study(two, measured_run, "fast", "random-0", {0: 1, 7: 0})
    _study(two, measured_run, "fast", "grouped-0", {19: 0})
    verdicts = read_verdicts([one, two])

    (pair,) = overlaps(verdicts)
    assert pair.networks == ("custom-cnn", "fast")
    assert (pair.split, pair.n, pair.wrong, pair.both) == ("random", 20, (4, 2), 2)
    assert pair.by_chance == pytest.approx(4 * 2 / 20)

    first, second = doubtful_images(verdicts, image_set)
    digests = dict(zip(image_set.paths, image_set.digests, strict=True))
    assert [digests[first.path], digests[second.path]] == [
        images["sha256"][0],
        images["sha256"][7],
    ], "an image that one network alone gets wrong is none of them"
    assert (first.label, first.called) == ("Benign", ("Early",))
    assert first.wrong == {"custom-cnn": 2, "fast": 1}
    assert first.tested == {"custom-cnn": 2, "fast": 2}
    assert (second.label, second.called) == ("Early", ("Benign", "Pre"))


def test_files_of_one_content_are_counted_each(tmp_path: Path, measured_run: Path) -> None:
    for network in ("custom-cnn", "fast"):
        _study(tmp_path, measured_run, network, "random-0", {0: 1, 1: 1})
        path = tmp_path / "runs" / network / "random-0" / "measurement-test.json"
        held = json.loads(path.read_text())
        held["images"]["sha256"][1] = held["images"]["sha256"][0]
        path.write_text(json.dumps(held))
    (pair,) = overlaps(read_verdicts([tmp_path]))
    assert (pair.n, pair.wrong, pair.both) == (20, (2, 2), 2)


def test_command_prints_tables_and_draws_the_images(
    tmp_path: Path, measured_run: Path, smears: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, sheet = tmp_path / "study", tmp_path / "sheet.png"
    for network in ("custom-cnn", "fast"):
        _study(study, measured_run, network, "grouped-2", {5: 0})
    words = ["study", "shared-mistakes", str(smears), str(study)]
    assert run([*words, "--sheet", str(sheet)]) == 0
    printed = capsys.readouterr().out
    assert "custom-cnn, fast  grouped  20             1       1     1       0.05" in printed
    assert "2 of 2" in printed
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert run([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["overlaps"][0]["both"] == 1
    assert report["images"][0]["called"] == ["Benign"]

    shutil.rmtree(study / "runs" / "fast")
    assert run(words) == 0
    printed = capsys.readouterr().out
    assert "No two networks were tested on the same images." in printed
    assert "No image is wrong in more than one network." in printed


def test_studies_that_do_not_belong_together_are_refused(
    tmp_path: Path, measured_run: Path, image_set: ImageSet
) -> None:
    with pytest.raises(TrainingError, match=r"measured.*Got: .*which has none. Make it with"):
        read_verdicts([tmp_path])
    one, two = tmp_path / "one", tmp_path / "two"
    _study(one, measured_run, "fast", "random-0", {})
    _study(two, measured_run, "fast", "random-0", {})
    with pytest.raises(TrainingError, match="Got: fast/random-0 again in"):
        read_verdicts([one, two])

    shutil.move(two / "runs" / "fast", two / "runs" / "custom-cnn")
    path = two / "runs" / "custom-cnn" / "random-0" / "measurement-test.json"
    held = json.loads(path.read_text())
    held["rests_on"]["data_sha256"] = "0" * 64
    path.write_text(json.dumps(held))
    with pytest.raises(TrainingError, match="Got: studies of 2 versions"):
        read_verdicts([one, two])

    held["images"]["sha256"][0] = "f" * 64
    path.write_text(json.dumps(held))
    with pytest.raises(TrainingError, match="which lacks some of the images"):
        doubtful_images(read_verdicts([two]), image_set)

    path.write_text("{")
    with pytest.raises(TrainingError, match=r"must be readable. Got: JSONDecodeError"):
        read_verdicts([two])
