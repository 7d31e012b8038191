"""The commands, on runs that are already there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.cli.main import run
from train.augmentation.names import AUGMENTATIONS
from train.recipes import RECIPES
from train.studies.augmentation import KINDS, augmentation_rows
from train.studies.balancing import balancing_rows
from train.studies.image_sets import ImageSets
from train.studies.report import OVER_SEEDS, below_chart

Plant = Callable[..., None]


@pytest.fixture
def study(smears: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Make the empty folder of a study of the simulated smears."""

    def make(name: str) -> Path:
        out = tmp_path / "study"
        out.mkdir()
        digest = ImageSets(smears).at(224).digest()
        (out / "study.json").write_text(json.dumps({"study": name, "data_sha256": digest}))
        return out

    return make


def _command(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = run([str(word) for word in words])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_reproduction_says_what_it_rests_on_and_fails_on_broken_promises(
    smears: Path, study: Callable[[str], Path], plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    out = study("reproduce tamim2025")
    for seed in range(5):
        for split in ("random", "grouped"):
            plant(out / "runs", "custom-cnn", split, seed)
    words = ("reproduce", "tamim2025", smears, "--out", out, "--networks=custom-cnn", "--epochs=2")
    code, markdown, told = _command(capsys, *words)
    assert "10 of 10 runs are finished already" in told
    assert code == 1, "two epochs on simulated smears reach no promised accuracy"
    assert "promised figures are missed" in told
    assert "**not kept**" in markdown
    assert "| custom-cnn | 98.60% |" in markdown
    assert "Trained here: custom-cnn 2 epochs, balancing: " in markdown
    digest = ImageSets(smears).at(224).digest()[:12]
    below = [line for line in markdown.splitlines() if line.startswith("Data: ")]
    assert len(below) == 4
    for line in below:
        for fact in (
            f"smears, version {digest}, 96 images",
            "seeds 0 to 4",
            "n = 20 images of the test part",
            "95 % t interval",
            "blastscope 0.1.0",
            "`blastscope reproduce tamim2025 DATA --out DIR --networks=custom-cnn --epochs=2`",
        ):
            assert fact in line
    assert "random split by image" in below[0]
    assert "pseudo-groups" in below[2]
    assert "they are not patients" in below[2]
    assert markdown.count("colour alone") >= 2
    assert (out / "reproduction.md").read_text() == markdown.removesuffix("\n")
    assert (out / "reproduction.png").read_bytes().startswith(b"\x89PNG")

    code, printed, _ = _command(capsys, *words, "--seeds=0-1", "--json")
    assert code == 0, "fewer seeds decide nothing"
    report = json.loads(printed)
    assert report == json.loads((out / "reproduction.json").read_text())
    assert report["seeds"] == [0, 1]
    row = report["rows"][0]
    assert row["figures"]["accuracy"]["seeds"] == 2
    assert row["runs"][0]["report"]["n"] == 20
    assert set(report["shortcuts"]) == {"random", "grouped"}

    (out / "runs" / "custom-cnn" / "random-3" / "model.keras").unlink()
    code, markdown, told = _command(capsys, *words, "--finished")
    assert code == 0, "the random split's promises are not decided"
    assert "left out, since a seed is not trained yet: custom-cnn, random split" in told
    assert "5 of 5 runs are finished already" in told
    assert "### Grouped split" in markdown
    assert "### Random split" not in markdown
    assert "--epochs=2 --finished`" in markdown
    code, _, told = _command(capsys, *words, "--splits=random", "--finished")
    assert code == 2
    assert "Leave --finished out to train them" in told
    code, _, _ = _command(capsys, *words[:3], "--out", out / "absent", "--finished")
    assert code == 2
    assert not (out / "absent").exists()


def test_balancing_is_compared_with_none_on_the_same_images(
    smears: Path, study: Callable[[str], Path], plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    out = study("study balancing of custom-cnn")
    for row in ("none", "smote"):
        plant(out / "runs", row, "random", 0, balance=row)
    words = ("study", "balancing", smears, "--out", out, "--rows=smote", "--seeds=0")
    code, markdown, _ = _command(capsys, *words, "--splits=random", "--epochs=2")
    assert code == 0
    assert "| smote | " in markdown
    assert "| none | " in markdown
    assert "+0.00 (+0.00 to +0.00)" in markdown, "the two rows are one run"
    assert "SMOTE is not shown to help here, nor to harm" in markdown
    assert "n = 8 images of the validation part" in markdown
    assert "one seed, so no interval over seeds" in markdown
    assert (out / "balancing.json").is_file()
    assert (out / "balancing.png").is_file()


def test_augmentation_is_compared_under_the_shift_and_with_swapped_corners(
    smears: Path, study: Callable[[str], Path], plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    out = study("study augmentation of custom-cnn")
    plant(out / "runs", "all", "random", 0)
    plant(out / "runs", "none", "random", 0, augmentation=[])
    words = ("study", "augmentation", smears, "--out", out, "--rows=none", "--seeds=0")
    code, markdown, _ = _command(capsys, *words, "--splits=random", "--epochs=2", "--on=test")
    assert code == 0
    assert "- none: nothing" in markdown
    assert "| trained with | accuracy | points against all | laboratory shift |" in markdown
    assert "corner swapped" in markdown
    assert "n = 20 images of the test part" in markdown
    assert "--on=test" in markdown


def test_rows_are_what_their_names_say() -> None:
    # A field has no black around it: "rotation" is for single cells.
    for_fields = set(AUGMENTATIONS) - {"rotation"}
    assert sorted(name for names in KINDS.values() for name in names) == sorted(for_fields)
    rows = {
        row.name: row.augmentation
        for row in augmentation_rows("custom-cnn", ["none", "without-stain", "only-turn"])
    }
    everything = RECIPES["custom-cnn"].augmentation
    assert rows == {
        "all": everything,
        "none": (),
        "without-stain": tuple(one for one in everything if one not in ("channel", "stain")),
        "only-turn": ("turn",),
    }
    assert [row.name for row in balancing_rows("custom-cnn", ["smote"])] == ["none", "smote"]
    assert [row.balance for row in balancing_rows("custom-cnn", ["smote"])] == ["none", "smote"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["reproduce", "nobody1999", "DATA", "--out", "OUT"],
            "are tamim2025, cnmc. Got: nobody1999",
        ),
        (["reproduce", "tamim2025", "DATA", "--out", "OUT", "--seeds=all"], "whole numbers"),
        (["reproduce", "tamim2025", "DATA", "--out", "OUT", "--splits=even"], "Got: even"),
        (["reproduce", "tamim2025", "DATA", "--out", "OUT", "--networks=vgg"], "Got: vgg"),
        (["reproduce", "tamim2025", "DATA", "--out", "DATA/study"], "lest it be taken for one"),
        (["reproduce", "tamim2025", "absent", "--out", "OUT"], "folder of images"),
        (["study", "balancing", "DATA", "--out", "OUT", "--rows=prayer"], "Got: prayer"),
        (["study", "balancing", "DATA", "--out", "OUT", "--network=vgg"], "The network is one of"),
        (["study", "augmentation", "DATA", "--out", "OUT", "--rows=fog"], "Got: fog"),
        (["study", "augmentation", "DATA", "--out", "OUT", "--epochs=0"], "one epoch or more"),
    ],
)
def test_bad_input_is_told_plainly_and_leaves_nothing(
    words: list[str],
    message: str,
    smears: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    filled = [word.replace("DATA", str(smears)).replace("OUT", str(out)) for word in words]
    code, _, told = _command(capsys, *filled)
    assert code == 2
    assert message in told
    assert "Traceback" not in told
    assert not out.exists()
    assert not (smears / "study").exists()


def test_images_of_other_classes_are_not_the_papers(
    smears: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "two"
    for old, new in (("Benign", "hem"), ("Pro", "all")):
        (data / new).mkdir(parents=True)
        for file in sorted((smears / old).iterdir())[:3]:
            (data / new / file.name).write_bytes(file.read_bytes())
    code, _, told = _command(capsys, "reproduce", "tamim2025", data, "--out", tmp_path / "out")
    assert code == 2
    assert "Benign, Early, Pre, Pro" in told


def test_a_chart_of_one_seed_claims_no_interval() -> None:
    report = {"data": {"name": "smears", "sha256": "a" * 64}, "intervals": OVER_SEEDS}
    assert below_chart(report | {"seeds": [0, 1, 2]}) == (
        f"smears, version {'a' * 12}; seeds 0 to 2; means and {OVER_SEEDS}"
    )
    assert below_chart(report | {"seeds": [0]}) == (
        f"smears, version {'a' * 12}; seeds 0; one seed, so no interval over seeds"
    )
