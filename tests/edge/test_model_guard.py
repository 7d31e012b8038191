"""The file of a model in use: gone, another one, back."""

from __future__ import annotations

from pathlib import Path

from edge.model_file import read_model_file
from edge.model_guard import MODEL_GONE, MODEL_REPLACED, ModelGuard
from tests.edge.small_model import make_model


def test_changes_of_the_file_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(make_model())
    guard = ModelGuard(read_model_file(path), every_s=0.0)

    def told() -> list[tuple[str, str]]:
        guard.look()
        guard.look()
        return [(event.kind, event.fault) for event in guard.log.take_events()]

    assert told() == []
    content = path.read_bytes()
    path.unlink()
    assert told() == [("fault", MODEL_GONE)]
    path.write_bytes(make_model("other"))
    assert told() == [("fault", MODEL_REPLACED)]
    path.write_bytes(content)
    assert told() == [("recovered", MODEL_GONE)]
    path.write_bytes(content)
    assert told() == [], "the same content, written anew, is the same model"
    assert guard.log.recoveries == 1
    assert guard.log.faults == {MODEL_GONE: 1, MODEL_REPLACED: 1}
