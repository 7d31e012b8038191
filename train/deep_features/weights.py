"""Where a backbone's weights come from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from edge.errors import TrainingError

#: Downloaded by Keras, once.
IMAGENET = "imagenet"

#: Drawn at random: the features are those of no training at all.
RANDOM = "none"

#: Read from a file.
FILE = "file"


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of one backbone.

    Attributes:
        source: `IMAGENET`, `RANDOM` or `FILE`.
        path: the file; None for the other two.
        identity: changes with the weights: a file's SHA-256, or the source and Keras's version.
    """

    source: str
    path: Path | None
    identity: str


def find_weights(
    prefixes: Sequence[str], backbone: str, otherwise: str, folder: Path | None
) -> Weights:
    """Return a backbone's weights: its file in a folder, or where there is none what to do then.

    Args:
        prefixes: what names of its files begin with; `.h5` ends them.
        backbone: its name, for an error.
        otherwise: `IMAGENET` or `RANDOM`, or the path of a file.
        folder: of weights files; None for none.

    Raises:
        TrainingError: the folder is not there, holds several such files, or the path is no file.
    """
    if folder is not None:
        if not folder.is_dir():
            raise TrainingError(
                "--weights-dir is a folder with weights as .h5 files",
                got=folder,
                next_step="Check the path",
            )
        found = sorted(
            path
            for path in folder.iterdir()
            if path.suffix == ".h5" and path.name.startswith(tuple(prefixes))
        )
        if len(found) > 1:
            raise TrainingError(
                f"The folder of weights has one file for {backbone}",
                got=", ".join(path.name for path in found),
                next_step=f"Leave one of them in {folder}",
            )
        if found:
            return _of_file(found[0])
    if otherwise in (IMAGENET, RANDOM):
        return Weights(otherwise, None, f"{otherwise}, Keras {metadata.version('keras')}")
    path = Path(otherwise)
    if not path.is_file():
        raise TrainingError(
            "--weights is `imagenet`, `none` or the path of a .h5 file",
            got=otherwise,
            next_step="Check the path",
        )
    return _of_file(path)


def _of_file(path: Path) -> Weights:
    return Weights(FILE, path, hashlib.sha256(path.read_bytes()).hexdigest())
