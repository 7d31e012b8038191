"""Features kept between runs, found by the content of each image.

The store is the folder `features` beside that of decoded images (see `train.image_cache`). It may
be deleted at any time, and nothing that goes wrong with it is fatal: features that cannot be read
are computed anew, and those that cannot be written are used all the same.
"""

from __future__ import annotations

import hashlib
import logging
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import edge.image_file
import edge.preprocess
from edge.errors import OutputError
from edge.output import make_folder, whole_file
from train.image_cache import cache_folder
from train.image_decoding import Progress

#: Images whose features make one file: so many are lost at most where a run is stopped.
BLOCK = 128

_log = logging.getLogger("blastscope.feature_store")


def feature_folder() -> Path | None:
    """Return where the user's features are kept, or None where caches are switched off."""
    images = cache_folder()
    return None if images is None else images.parent / "features"


def features_key(*facts: object) -> str:
    """Return a name for what turns an image file into features.

    Args:
        facts: the network, its weights, its input and its preprocessing, each with a `repr` that
            changes with it. OpenCV's version and the code that decodes images are added.
    """
    digest = hashlib.sha256(repr((cv2.__version__, facts)).encode())
    for module in (edge.image_file.__file__, edge.preprocess.__file__):
        digest.update(Path(module).read_bytes())
    return digest.hexdigest()[:32]


class FeatureStore:
    """The features of one network, in files of up to `BLOCK` images.

    Args:
        folder: holds a folder for each key; None keeps nothing.
        key: as `features_key` returns it.
        length: of one image's features.
    """

    def __init__(self, folder: Path | None, key: str, length: int) -> None:
        self.folder = None if folder is None else folder / key
        self.length = length

    def read(self, digests: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the features that are kept for some images.

        Args:
            digests: SHA-256 of each image's file, in hexadecimal.

        Returns:
            For each digest that is known, float32, shape (length,).
        """
        paths = [] if self.folder is None else sorted(self.folder.glob("*.npz"))
        kept = {digest: row for path in paths for digest, row in self._read_block(path)}
        return {digest: kept[digest] for digest in digests if digest in kept}

    def fill(
        self,
        digests: Sequence[str],
        compute: Callable[[NDArray[np.int64]], NDArray[np.float32]],
        progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """Return the features of images, computing those that are not kept yet.

        Args:
            digests: SHA-256 of each image's file, in hexadecimal; n of them.
            compute: takes positions among them (int64), returns their features: float32, shape
                (positions, length).
            progress: called with (images done, images in all).

        Returns:
            float32, shape (n, length).
        """
        known = self.read(digests)
        missing = np.array([i for i, one in enumerate(digests) if one not in known], np.int64)
        done = len(digests) - len(missing)
        for start in range(0, len(missing), BLOCK):
            places = missing[start : start + BLOCK]
            rows = np.asarray(compute(places), np.float32)
            names = [digests[place] for place in places]
            self._write_block(names, rows)
            known.update(zip(names, rows, strict=True))
            done += len(places)
            if progress is not None:
                progress(done, len(digests))
        return np.array([known[digest] for digest in digests], np.float32)

    def _read_block(self, path: Path) -> list[tuple[str, NDArray[np.float32]]]:
        """Return what a file holds; a damaged one is removed."""
        try:
            # numpy leaves a file open that it cannot read.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as block:
                digests, rows = block["digests"].tolist(), block["features"]
            if rows.dtype != np.float32 or rows.shape != (len(digests), self.length):
                raise ValueError("another form")
        # Cut short, overwritten, with another checksum, or gone since the folder was listed.
        except (OSError, ValueError, KeyError, EOFError, AttributeError, zipfile.BadZipFile):
            _log.warning("Features that are damaged are computed anew: %s", path)
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return []
        return list(zip(digests, rows, strict=True))

    def _write_block(self, digests: Sequence[str], rows: NDArray[np.float32]) -> None:
        if self.folder is None:
            return
        name = hashlib.sha256("".join(digests).encode()).hexdigest()[:32]
        try:
            make_folder(self.folder)
            with whole_file(self.folder / f"{name}.npz") as temporary:
                np.savez(temporary, digests=np.array(digests), features=rows)
        except OutputError as error:
            _log.warning(
                "Features cannot be kept for the next run. %s, or name another folder with "
                "BLASTSCOPE_CACHE.",
                error,
            )
