"""The study of deep features, from images to a pipeline that `evaluate` takes."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from edge.cli.main import run
from edge.errors import ModelFileError, TrainingError
from train.deep_features.pipeline_folder import load_pipeline
from train.deep_features.weights import find_weights
from train.evaluation.evaluation import Evaluation
from train.evaluation.explanation import explain
from train.evaluation.models import EvaluationModel
from train.image_set import read_image_set
from train.studies.workers import workers

#: A grid of two pipelines on one backbone's random features.
SMALL = (
    *("--backbones", "mobilenet-v2", "--weights", "none", "--drop-constant", "--limit", "16"),
    *("--selectors", "anova,pca", "--classifiers", "logistic,boosting", "--features", "4,16"),
    *("--seeds", "0", "--jobs", "1"),
)

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def study(smears: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("deep") / "study"
    assert run(["study", "deep-features", str(smears), "--out", str(out), *SMALL]) == 0
    return out


def _study(smears: Path, out: Path, *words: object) -> int:
    return run(["study", "deep-features", str(smears), "--out", str(out), *map(str, words)])


def test_tables_say_what_they_rest_on(study: Path) -> None:
    markdown = (study / "deep-features.md").read_text()
    for fact in (
        "### The best of each backbone, random split",
        "### mobilenet-v2 (random features), grouped split",
        "| anova, logistic regression |",
        "| pca, gradient boosting |",
        "Random features (weights of no training): mobilenet-v2.",
        "Only 16 images of each class at most.",
        "they are not patients",
        "one seed, so no interval over seeds",
        "arXiv 2409.06687",
        "--backbones=mobilenet-v2 --selectors=anova,pca --classifiers=logistic,boosting "
        "--features=4,16 --weights=none --seeds=0 --limit=16 --drop-constant`",
    ):
        assert fact in markdown
    tables = [line for line in markdown.splitlines() if line.startswith("Selectors: ")]
    assert len(tables) == 2
    assert all("Random features" in line and "64 images" in line for line in tables)
    report = json.loads((study / "deep-features.json").read_text())
    assert len(report["rows"]) == 8, "two selectors, two classifiers, two splits"
    assert report["backbones"]["mobilenet-v2"]["random"]
    for row in report["rows"]:
        assert [point["count"] for point in row["curve"]] == [4, 16]
        assert row["figures"]["fit_seconds"]["mean"] > 0
    for picture in ("heat-map.png", "features.png"):
        assert (study / picture).read_bytes().startswith(b"\x89PNG")


def test_winner_scores_in_evaluate_what_the_study_says(
    study: Path, smears: Path, capsys: Capture
) -> None:
    report = json.loads((study / "deep-features.json").read_text())
    wanted = next(
        row
        for row in report["rows"]
        if row["split"] == "random"
        and all(row[name] == value for name, value in report["winner"].items())
    )
    assert run(["evaluate", str(study / "pipeline"), str(smears), "--part=test", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n"] == wanted["n"]["min"]
    assert found["accuracy"] == pytest.approx(wanted["figures"]["accuracy"]["mean"])
    assert found["n_trained_on"] == 0


def test_pipeline_has_no_class_activation(smears: Path) -> None:
    images = read_image_set(smears, 224, 224)
    model = EvaluationModel(lambda pixels: np.eye(4)[[0]], images.labels, 224, 224, None)
    chosen = np.arange(1)
    with pytest.raises(TrainingError, match="a pipeline of features"):
        explain(Evaluation(model, images, chosen, None, np.eye(4, dtype=np.float32)[:1], {}))


def test_finished_cells_are_taken_as_they_are(
    study: Path, smears: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "study"
    shutil.copytree(study, out)
    cells = sorted(out.glob("cells/*/*/*.json"))
    assert len(cells) == 4, "two selectors under two splits"
    marked = json.loads(cells[0].read_text())
    next(iter(marked["classifiers"].values()))["fit_seconds"] = 12345.0
    cells[0].write_text(json.dumps(marked))
    removed = json.loads(cells[1].read_text())
    cells[1].unlink()
    cells[2].write_text("cut sho")
    assert _study(smears, out, *SMALL) == 0
    told = capsys.readouterr().err
    assert "2 of 4 cells are computed" in told
    assert "mobilenet-v2: features of" not in told, "they are kept by the images' content"
    assert json.loads(cells[0].read_text()) == marked
    again = json.loads(cells[1].read_text())
    for name, found in removed["classifiers"].items():
        del found["fit_seconds"], again["classifiers"][name]["fit_seconds"]
    assert again == removed


def test_damaged_and_foreign_pipelines_are_refused(study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pipeline"
    shutil.copytree(study / "pipeline", folder)
    file, description = folder / "pipeline.skops", folder / "pipeline.json"
    sound = file.read_bytes()
    file.write_bytes(sound[:-9])
    with pytest.raises(ModelFileError, match="another SHA-256"):
        load_pipeline(folder)
    # One that would call a function of its maker's choice.
    bad = skops.io.dumps(Pipeline([("call", FunctionTransformer(shutil.rmtree))]))
    file.write_bytes(bad)
    told = json.loads(description.read_text())
    description.write_text(json.dumps(told | {"pipeline_sha256": hashlib.sha256(bad).hexdigest()}))
    with pytest.raises(ModelFileError, match=r"the types .*rmtree"):
        load_pipeline(folder)
    description.write_text("{}")
    with pytest.raises(ModelFileError, match="must hold a pipeline"):
        load_pipeline(folder)


def test_weights_of_another_backbone_are_refused(
    smears: Path, tmp_path: Path, capsys: Capture
) -> None:
    import keras

    weights = tmp_path / "weights"
    weights.mkdir()
    other = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
    file = weights / "mobilenet_v2_1.0_224_other.weights.h5"
    other.save_weights(file)
    small = [word for word in SMALL if word not in ("--limit", "16")]
    # Fewer images than the other tests' keeps this one from being told by kept features.
    words = [*small, "--limit", "12", "--weights-dir", weights]
    assert _study(smears, tmp_path / "out", *words) == 2
    told = capsys.readouterr().err
    assert "must be those of MobileNetV2" in told
    assert str(file) in told
    shutil.copy(file, weights / "mobilenet_v2_1.0_224_more.h5")
    with pytest.raises(TrainingError, match="one file for mobilenet-v2"):
        find_weights(("mobilenet_v2_1.0_224_",), "mobilenet-v2", "none", weights)
    with pytest.raises(TrainingError, match="--weights-dir is a folder"):
        find_weights((), "mobilenet-v2", "none", tmp_path / "absent")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--backbones", "alexnet"], "Got: alexnet"),
        (["--selectors", "astrology"], "Got: astrology"),
        (["--classifiers", "oracle"], "Got: oracle"),
        (["--features", "0,12"], "whole numbers above 0"),
        (["--features", "many"], "whole numbers above 0"),
        (["--weights-dir", "absent"], "--weights-dir is a folder"),
    ],
)
def test_bad_options_are_told_before_anything_is_done(
    words: list[str], message: str, smears: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert _study(smears, tmp_path / "out", *words) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_constant_features_stop_a_study_that_does_not_drop_them(
    study: Path, smears: Path, tmp_path: Path, capsys: Capture
) -> None:
    dropped = json.loads((study / "deep-features.json").read_text())["backbones"]["mobilenet-v2"]
    words = [word for word in SMALL if word != "--drop-constant"]
    if not dropped["constant"]:
        pytest.skip("no feature of the random backbone is constant")
    assert _study(smears, tmp_path / "out", *words) == 2
    told = capsys.readouterr().err
    assert f"{dropped['constant']} of 1280 features of mobilenet-v2 (random features)" in told


@pytest.fixture
def dead_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.slow
def test_ray_cluster_that_does_not_answer_is_told_at_once(
    study: Path, smears: Path, tmp_path: Path, dead_port: int, capsys: Capture
) -> None:
    out = tmp_path / "study"
    shutil.copytree(study, out)
    cell = min(out.glob("cells/*/*/*.json"))
    cell.unlink()
    kept = {path: path.read_bytes() for path in out.glob("cells/*/*/*.json")}
    for address, reason in (
        (f"127.0.0.1:{dead_port}", "Connection refused"),
        (f"ray://127.0.0.1:{dead_port}", "Connection refused"),
        ("nowhere", "HOST:PORT"),
        ("auto", "auto"),
    ):
        assert _study(smears, out, *SMALL, "--ray", address) == 2
        told = capsys.readouterr().err
        assert reason in told
        assert "Traceback" not in told
    assert {path: path.read_bytes() for path in out.glob("cells/*/*/*.json")} == kept


@pytest.mark.slow
def test_ray_cluster_gives_what_this_machine_gives(
    study: Path, smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two nodes of one core each, as Ray's own test cluster starts them."""
    from ray.cluster_utils import Cluster

    # Ray's workers give way to everything else, unless they are told not to.
    monkeypatch.setenv("RAY_worker_niceness", "0")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        out = tmp_path / "study"
        assert _study(smears, out, *SMALL, "--ray", cluster.address) == 0
    finally:
        cluster.shutdown()
    for cell in sorted(study.glob("cells/*/*/*.json")):
        here, there = (
            json.loads(path.read_text()) for path in (cell, out / cell.relative_to(study))
        )
        for held in (here, there):
            for found in held["classifiers"].values():
                del found["fit_seconds"]
        assert here == there


def test_results_come_as_they_are_ready() -> None:
    with workers(1, None) as shared:
        assert sorted(shared.run(abs, [(-3,), (2,), (-1,)])) == [1, 2, 3]
        assert list(shared.run(abs, [])) == []
        with pytest.raises(TypeError, match="bad operand"):
            list(shared.run(abs, [("text",)]))
