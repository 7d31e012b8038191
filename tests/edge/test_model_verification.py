"""`blastscope inspect` and `blastscope verify`: what a file says, and which check failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cli.main import run
from edge.errors import ModelFileError, TrustStoreError
from edge.golden_frames import LONGEST_SIDE, decode_golden_frame
from edge.model_archive import CARD_NAME
from edge.model_card import describe_part
from edge.trust import configured_trust_store, make_trust_store
from edge.verification import verify_model
from quantize.card import INTENDED_USE
from tests.conftest import Command
from tests.edge.small_model import make_model, put_together, take_apart

Change = Callable[[dict[str, object], dict[str, bytes]], None]


@pytest.fixture(autouse=True)
def no_trust_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BLASTSCOPE_TRUST", raising=False)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(make_model())
    return path


def change(path: Path, edit: Change, graph_byte: int | None = None) -> None:
    """Edit a model's card and files, and leave the rest as it is."""
    graph, members = take_apart(path.read_bytes())
    card = json.loads(members[CARD_NAME])
    edit(card, members)
    members[CARD_NAME] = json.dumps(card).encode()
    if graph_byte is not None:
        graph = graph[:graph_byte] + bytes([graph[graph_byte] ^ 1]) + graph[graph_byte + 1 :]
    path.write_bytes(put_together(graph, members))


def failed(path: Path) -> dict[str, str]:
    return {one.check: one.found for one in verify_model(path) if one.state == "failed"}


def states(path: Path) -> dict[str, str]:
    return {one.check: one.state for one in verify_model(path)}


def test_whole_model_passes_every_check(model: Path) -> None:
    found = states(model)
    assert set(found.values()) == {"ok", "not checked"}
    assert [name for name, state in found.items() if state == "not checked"] == [
        "signature",
        "version",
    ]
    for number in range(4):
        assert found[f"hash of golden/{number}.png"] == found[f"output for golden/{number}.png"]


def test_changed_graph_is_named_and_not_run(model: Path) -> None:
    change(model, lambda card, members: None, graph_byte=700)
    assert list(failed(model)) == ["hash of graph"]
    assert states(model)["golden frames"] == "not checked"


def test_changed_member_is_named(model: Path) -> None:
    def edit(card: dict[str, object], members: dict[str, bytes]) -> None:
        members["golden/2.png"] = members["golden/1.png"]

    change(model, edit)
    assert list(failed(model)) == ["hash of golden/2.png"]


def test_card_against_the_schema_is_named(model: Path) -> None:
    change(model, lambda card, members: card.update(blastscope=5))
    assert "blastscope must be of type string" in failed(model)["schema"]
    assert states(model)["golden frames"] == "not checked"


def test_other_labels_are_named(model: Path) -> None:
    change(model, lambda card, members: card.update(labels=["Benign", "b", "c", "d"]))
    assert list(failed(model)) == ["labels"]


def test_archive_and_file_are_named(model: Path, tmp_path: Path) -> None:
    model.write_bytes(model.read_bytes() + b"\0")
    assert list(failed(model)) == ["archive"]
    assert list(failed(tmp_path / "absent.tflite")) == ["file"]


@pytest.mark.parametrize("number", range(4))
def test_output_that_differs_by_one_bit_is_named(model: Path, number: int) -> None:
    def edit(card: dict, members: dict[str, bytes]) -> None:  # type: ignore[type-arg]
        card["golden"]["frames"][number]["output"][0] ^= 1

    change(model, edit)
    (name,) = failed(model)
    assert name == f"output for golden/{number}.png"
    assert "not [" in failed(model)[name]


def test_preprocessing_that_differs_is_named(model: Path) -> None:
    def edit(card: dict, members: dict[str, bytes]) -> None:  # type: ignore[type-arg]
        card["golden"]["frames"][3]["input_sha256"] = "0" * 64

    change(model, edit)
    assert "preprocessed to SHA-256" in failed(model)["output for golden/3.png"]


def test_weight_that_differs_is_noticed_by_golden_frames(model: Path) -> None:
    """As on a machine whose runtime computes something else: all hashes fit, outputs do not."""
    graph, members = take_apart(model.read_bytes())
    other = bytearray(graph)
    other[other.index(bytes([90, 5, 256 - 80]))] = 30
    card = json.loads(members[CARD_NAME])
    card["graph"] = describe_part(bytes(other))
    members[CARD_NAME] = json.dumps(card).encode()
    model.write_bytes(put_together(bytes(other), members))
    names = [f"output for golden/{number}.png" for number in range(4)]
    assert list(failed(model)) == names


def test_graph_that_does_not_fit_the_card_is_named(model: Path) -> None:
    _, members = take_apart(model.read_bytes())
    other = take_apart(make_model(side=48))[0]
    card = json.loads(members[CARD_NAME])
    card["graph"] = describe_part(other)
    members[CARD_NAME] = json.dumps(card).encode()
    model.write_bytes(put_together(other, members))
    assert "(1, 48, 48, 3)" in failed(model)["golden frames"]


def test_golden_frame_of_giant_size_is_refused_before_there_is_memory_for_it() -> None:
    _, png = cv2.imencode(".png", np.zeros((1, LONGEST_SIDE + 1), np.uint8))
    for data in (png.tobytes(), b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff" + bytes(50)):
        with pytest.raises(ModelFileError, match="PNG file of at most 2048"):
            decode_golden_frame(data, "golden/0.png")


def test_packing_the_same_twice_gives_the_same_bytes() -> None:
    assert make_model() == make_model()
    assert make_model() != make_model(model_version=2)


def test_verify_command_tells_each_check(blastscope: Command, model: Path) -> None:
    done = blastscope("verify", model)
    assert done.returncode == 0, done.stderr
    assert "ok           output for golden/3.png" in done.stdout
    assert "not checked  signature" in done.stdout
    change(model, lambda card, members: None, graph_byte=700)
    done = blastscope("verify", model)
    assert done.returncode == 1
    assert "FAILED       hash of graph" in done.stdout
    assert "not checked  golden frames" in done.stdout
    rows = json.loads(blastscope("verify", model, "--json").stdout)
    assert [row["check"] for row in rows if row["state"] == "failed"] == ["hash of graph"]
    absent = blastscope("verify", model.with_name("absent.tflite"))
    assert absent.returncode == 1
    assert "No such file" in absent.stdout


def test_trust_store_that_is_not_there_does_not_switch_the_check_off(
    blastscope: Command, model: Path, tmp_path: Path
) -> None:
    done = blastscope("verify", model, "--trust", tmp_path / "absent")
    assert done.returncode == 2
    assert "A trust store is a folder of public keys" in done.stderr
    with pytest.MonkeyPatch.context() as patch, pytest.raises(TrustStoreError):
        patch.setenv("BLASTSCOPE_TRUST", str(tmp_path / "absent"))
        verify_model(model)


def test_trust_store_comes_from_the_environment_or_its_usual_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = tmp_path / "etc"
    store = make_trust_store(tmp_path / "named")
    monkeypatch.setattr("edge.trust.DEFAULT_TRUST_STORE", usual)
    monkeypatch.delenv("BLASTSCOPE_TRUST", raising=False)
    assert configured_trust_store() is None
    usual.mkdir()
    assert configured_trust_store().folder == usual  # type: ignore[union-attr]
    monkeypatch.setenv("BLASTSCOPE_TRUST", str(store.folder))
    assert configured_trust_store().folder == store.folder  # type: ignore[union-attr]
    monkeypatch.setenv("BLASTSCOPE_TRUST", "")
    usual.rmdir()
    usual.write_text("not a folder, and yet no reason to skip the check")
    with pytest.raises(TrustStoreError):
        configured_trust_store()


def test_inspect_command_shows_the_card(blastscope: Command, model: Path) -> None:
    done = blastscope("inspect", model)
    assert done.returncode == 0, done.stderr
    for text in (
        "small@",
        "version 1, format 3",
        INTENDED_USE,
        "Benign, Early, Pre, Pro",
        "32 x 32 RGB",
        "not measured",
        "not passed through one",
        "no model.tflite.sig",
        "golden/3.png",
    ):
        assert text in done.stdout, text
    shown = json.loads(blastscope("inspect", model, "--json").stdout)
    assert shown == json.loads(take_apart(model.read_bytes())[1][CARD_NAME])


def test_inspect_command_shows_accuracy_gate_and_data(
    blastscope: Command, tiny_model: Path
) -> None:
    done = blastscope("inspect", tiny_model)
    assert done.returncode == 0, done.stderr
    card = json.loads(take_apart(tiny_model.read_bytes())[1][CARD_NAME])
    for text in (
        f"{card['metrics']['int8']['accuracy']:.2%} (n = 20, 95 % interval ",
        "gate           passed",
        card["training"]["data_sha256"],
        card["training"]["split_sha256"],
        "agreement with float",
        "Pro, int8",
    ):
        assert text in done.stdout, text


@pytest.mark.parametrize(
    "checks", [5, None, [1], [{}], [{"name": "x", "measured": "a", "limit": 1}], [{"measured": []}]]
)
def test_inspect_passes_over_a_gate_that_it_does_not_know(
    model: Path, checks: object, capsys: pytest.CaptureFixture[str]
) -> None:
    change(model, lambda card, members: card.update(gate={"outcome": "passed", "checks": checks}))
    assert run(["inspect", str(model)]) == 0
    assert "gate           passed\n" in capsys.readouterr().out


def test_inspect_refuses_what_is_no_model(blastscope: Command, tmp_path: Path) -> None:
    path = tmp_path / "text.tflite"
    path.write_text("no model")
    done = blastscope("inspect", path)
    assert done.returncode == 2
    assert "must be a TFLite file" in done.stderr
