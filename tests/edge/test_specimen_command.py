"""`blastscope specimen`, and `watch --specimen`, in processes of their own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import pytest

from edge.classifier import Classifier
from edge.labels import SMEAR_LABELS
from edge.smear import FieldOptions, render_field
from tests.conftest import Command
from tests.edge.small_model import make_model


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fields of which the shipped model says malignant, a copy, and blurred ones."""
    folder = tmp_path_factory.mktemp("specimen")
    options = FieldOptions(stain_variation=0.3)
    with Classifier.load("fast") as classifier:
        number = 0
        for seed in range(400):
            field = render_field("Pro", seed, options=options)
            one = classifier.classify(field)
            if (one.decision, one.label) != ("result", "Benign") and one.decision == "result":
                path = folder / f"{number:02}.png"
                cv2.imwrite(str(path), cv2.cvtColor(field, cv2.COLOR_RGB2BGR))
                number += 1
            if number == 14:
                break
    assert number == 14, "the model finds 14 malignant fields of 400 simulated ones"
    shutil.copy(folder / "03.png", folder / "14.png")
    blurred = cv2.GaussianBlur(cv2.imread(str(folder / "05.png")), (0, 0), 4.0)
    cv2.imwrite(str(folder / "15.png"), blurred)
    return folder


def test_fields_of_one_specimen_give_one_answer(blastscope: Command, fields: Path) -> None:
    done = blastscope("specimen", fields, "--model", "fast", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["answer"] == "malignant"
    assert told["stage"] in SMEAR_LABELS[1:]
    assert told["fields"]["results"] == 14
    assert (told["fields"]["repeated"], told["fields"]["seen_before"]) == (1, 1)
    assert told["malignant"]["interval"][0] > 0.5
    assert told["model"].startswith("fast@")
    plain = blastscope("specimen", fields, "--model", "fast")
    assert plain.returncode == 0
    assert "Specimen: MALIGNANT, mostly" in plain.stdout
    assert "not a medical device" in plain.stderr


def test_too_few_fields_ask_for_more(blastscope: Command, fields: Path) -> None:
    some = [fields / f"{number:02}.png" for number in range(4)]
    done = blastscope("specimen", *some, "--model", "fast")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "Specimen: 8 more fields"
    strict = blastscope("specimen", fields, "--model", "fast", "--design-effect", 8, "--json")
    assert (strict.returncode, json.loads(strict.stdout)["answer"]) == (1, "more")


def test_images_that_cannot_be_read_are_told(
    blastscope: Command, fields: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("text")
    done = blastscope("specimen", fields, broken, "--model", "fast", "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert [one["path"] for one in told["unreadable"]] == [str(broken)]
    assert told["fields"]["results"] == 14


def test_model_that_says_nothing_of_its_errors_is_refused(
    blastscope: Command, fields: Path, tmp_path: Path
) -> None:
    small = tmp_path / "small.tflite"
    small.write_bytes(make_model())
    for words in (
        ("specimen", fields),
        ("watch", "--camera", "simulated", "--frames", 1, "--specimen"),
    ):
        done = blastscope(*words, "--model", small)
        assert done.returncode == 2
        assert "how often it errs" in done.stderr
        assert "Traceback" not in done.stderr


def test_rules_that_cannot_be_are_refused(blastscope: Command, fields: Path) -> None:
    done = blastscope("specimen", fields, "--benign-share", 0.7)
    assert done.returncode == 2
    assert "Got: 0.7 and 0.5" in done.stderr
    done = blastscope("watch", "--camera", "simulated", "--most-fields", 9)
    assert done.returncode == 2
    assert "--most-fields needs --specimen" in done.stderr


def test_watching_says_how_many_more_fields_it_takes(blastscope: Command, fields: Path) -> None:
    words = ("watch", "--camera", "replay", "--source", fields, "--model", "fast", "--specimen")
    done = blastscope(*words, "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    last = rows.pop()
    assert (last["event"], last["answer"]) == ("specimen", "malignant")
    assert [row["specimen"]["counted"] for row in rows] == [True] * 14 + [False] * 2
    left = [row["specimen"]["more_fields"] for row in rows]
    assert left[0] > left[5] > left[9]
    assert left[-1] is None
    assert all(isinstance(row["likely"], list) for row in rows)
    plain = blastscope(*words)
    assert "specimen: 9 more fields" in plain.stdout
    assert plain.stdout.splitlines()[-1].startswith("Specimen: MALIGNANT")


def test_likely_classes_are_told(blastscope: Command, fields: Path) -> None:
    done = blastscope("classify", fields, "--model", "fast", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for row in rows:
        if row["decision"] == "result":
            assert row["likely"] == [row["label"]]
        assert set(row["likely"]) <= set(row["scores"])
        likely = [label for label in row["scores"] if label in row["likely"]]
        assert row["likely"] == likely, "in the model's order"
