"""The models that come with blastscope, by name."""

from __future__ import annotations

from pathlib import Path

#: Each model's name, and what it is.
SHIPPED_MODELS: dict[str, str] = {
    "mobilenet-v2": "the most accurate",
    "custom-cnn": "a third of the time",
    "fast": "for the smallest Pi",
}

#: What is used where no model is named.
DEFAULT_MODEL = "mobilenet-v2"

_FOLDER = Path(__file__).parent / "models"


def shipped_model(name: str) -> Path:
    """Return the file of a model that comes with blastscope.

    Args:
        name: out of `SHIPPED_MODELS`.
    """
    return _FOLDER / f"{name}.tflite"


def find_model(name: str | Path) -> Path:
    """Return the file that a name or path stands for.

    Args:
        name: a path, or a name out of `SHIPPED_MODELS`. A file of that name comes first.

    Returns:
        The path; whether there is such a file is for who reads it to say.
    """
    path = Path(name)
    if str(name) in SHIPPED_MODELS and not path.exists():
        return shipped_model(str(name))
    return path
