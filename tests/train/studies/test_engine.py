"""Studies: they go on where they stopped, train nothing twice, and refuse what is not theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import InterruptedTrainingError, OutputError, TrainingError
from train.run_folder import RunFolder
from train.studies.engine import Measured, run_study
from train.studies.folder import StudyFolder
from train.studies.image_sets import ImageSets
from train.studies.measurement import AS_THEY_ARE, CORNER_SWAPPED, measure_run
from train.studies.plan import Row, RunPlan, plan_runs

ROW = Row("light", "custom-cnn", balance="none", augmentation=("turn",), epochs=1)


def _interrupt(epoch: int, epochs: int, done: float, row: object) -> None:
    raise KeyboardInterrupt


def _study(
    out: Path, data: Path, plans: tuple[RunPlan, ...], lines: list[str], *, stop: bool = False
) -> Measured:
    folder, image_sets = StudyFolder(out), ImageSets(data)
    folder.open("test", image_sets.at(224))
    progress = _interrupt if stop else None
    return run_study(
        folder,
        plans,
        image_sets,
        "test",
        measure=measure_run,
        tell=lines.append,
        fit_progress=progress,
    )


def test_a_stopped_study_goes_on_and_trains_nothing_twice(smears: Path, tmp_path: Path) -> None:
    out, plans, lines = tmp_path / "study", plan_runs([ROW], ["random"], [3]), list[str]()
    with pytest.raises(InterruptedTrainingError, match="same command again") as stopped:
        _study(out, smears, plans, lines, stop=True)
    assert stopped.value.exit_code == 130
    run = RunFolder(out / "runs" / "light" / "random-3")
    assert run.config.is_file()
    assert not run.model.exists()

    first = _study(out, smears, plans, lines)[plans[0]]
    config = run.read_config()
    assert (config.seed, config.split, config.epochs) == (3, "random", 1)
    assert (config.balance, config.augmentation) == ("none", ["turn"])
    trained = run.model.stat().st_mtime_ns, (run.path / "measurement-test.json").stat().st_mtime_ns

    again = _study(out, smears, plans, lines)[plans[0]]
    assert "run 1 of 1: light, random split, seed 3; 0 minutes so far" in lines[-2]
    assert lines[-1] == "1 of 1 runs are finished already, and are taken as they are"
    assert trained == (
        run.model.stat().st_mtime_ns,
        (run.path / "measurement-test.json").stat().st_mtime_ns,
    )
    assert again.clean == first.clean
    assert again.clean["confusion"] == json.loads(run.metrics.read_text())["test"]["confusion"]


def test_a_measurement_is_made_anew_when_what_it_rests_on_changes(
    smears: Path, tmp_path: Path, plant: Callable[..., None]
) -> None:
    out, plans = tmp_path / "study", plan_runs([Row("a", "custom-cnn", epochs=2)], ["random"], [0])
    plant(out / "runs", "a", "random", 0)
    (out / "study.json").write_text(
        json.dumps({"study": "test", "data_sha256": ImageSets(smears).at(224).digest()})
    )
    path = out / "runs" / "a" / "random-0" / "measurement-test.json"
    held = json.loads(path.read_text())
    held["clean"]["n"] = 999
    path.write_text(json.dumps(held))
    kept = _study(out, smears, plans, [])[plans[0]]
    assert kept.clean["n"] == 999, "what is measured already is taken as it is"
    held["rests_on"]["code_sha256"] = "another version"
    path.write_text(json.dumps(held))
    anew = _study(out, smears, plans, [])[plans[0]]
    assert anew.clean["n"] == 20
    assert anew.accuracy(AS_THEY_ARE) == anew.clean["accuracy"]
    assert set(anew.predicted) == {
        AS_THEY_ARE,
        "laboratory shift",
        "corner blanked",
        CORNER_SWAPPED,
    }


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 7}, "seed 7 and not 0"),
        ({"balance": "adasyn"}, "balance 'adasyn' and not"),
        ({"augmentation": ["turn"]}, "augmentation"),
        ({"split": "grouped"}, "split 'grouped' and not 'random'"),
        ({"data_digest": "0" * 64}, "images '000000000000'"),
    ],
)
def test_runs_that_were_trained_otherwise_are_refused(
    changed: dict[str, object],
    message: str,
    smears: Path,
    tmp_path: Path,
    plant: Callable[..., None],
) -> None:
    out, plans = tmp_path / "study", plan_runs([Row("a", "custom-cnn", epochs=2)], ["random"], [0])
    StudyFolder(out).open("test", ImageSets(smears).at(224))
    plant(out / "runs", "a", "random", 0)
    config = out / "runs" / "a" / "random-0" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | changed))
    with pytest.raises(OutputError, match=message):
        _study(out, smears, plans, [])


def test_rows_with_different_splits_are_refused(
    smears: Path, tmp_path: Path, plant: Callable[..., None]
) -> None:
    rows = [Row(name, "custom-cnn", epochs=2) for name in "ab"]
    out, plans = tmp_path / "study", plan_runs(rows, ["random"], [0])
    StudyFolder(out).open("test", ImageSets(smears).at(224))
    for name, digest in (("a", None), ("b", "another")):
        plant(out / "runs", name, "random", 0)
        for file, keys in (("config.json", ()), ("measurement-test.json", ("rests_on",))):
            path = out / "runs" / name / "random-0" / file
            whole = json.loads(path.read_text())
            inner = whole[keys[0]] if keys else whole
            key = "split_sha256" if keys else "split_digest"
            inner[key] = digest or inner[key]
            path.write_text(json.dumps(whole))
    with pytest.raises(OutputError, match="same split for the same seed"):
        _study(out, smears, plans, [])


def test_a_folder_of_something_else_is_refused(smears: Path, tmp_path: Path) -> None:
    image_set = ImageSets(smears).at(224)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(OutputError, match="something else"):
        StudyFolder(tmp_path / "full").open("test", image_set)
    with pytest.raises(OutputError, match="lest it be taken for one"):
        StudyFolder(smears / "study").open("test", image_set)
    assert not (smears / "study").exists()
    StudyFolder(tmp_path / "study").open("test", image_set)
    with pytest.raises(OutputError, match="another study"):
        StudyFolder(tmp_path / "study").open("other", image_set)


def test_options_that_do_not_fit_stop_before_anything_is_trained() -> None:
    with pytest.raises(TrainingError, match="takes no weights"):
        RunPlan(Row("a", "custom-cnn", weights="imagenet"), "random", 0).options()
    with pytest.raises(TrainingError, match="Augmentations are"):
        RunPlan(Row("a", "custom-cnn", augmentation=("mist",)), "random", 0).options()
