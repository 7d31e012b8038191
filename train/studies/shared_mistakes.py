"""Images that several networks get wrong: the first to show to a second expert.

Networks that were trained apart and differ in kind seldom err on the same images by chance. Where
they do, the image is hard, its label is doubtful, or the training part lacks its like.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Any

from edge.cli.options import table
from edge.errors import TrainingError
from train.evaluation.contact_sheet import Tile, draw_contact_sheet
from train.image_set import ImageSet
from train.studies.folder import StudyFolder
from train.studies.measurement import AS_THEY_ARE

#: Most images on a sheet and in a table; the most often wrong come first.
MOST_SHOWN = 48


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one run said of one image of its test part.

    Attributes:
        network: the run's network.
        division: the run's split and seed, such as "grouped-0".
        sha256: of the image's file.
        copy: which of the test part's files with that content it is; 0 for the first.
        target: the image's class, by its place among the labels.
        predicted: the class that the run gave it, likewise.
    """

    network: str
    division: str
    sha256: str
    copy: int
    target: int
    predicted: int

    @property
    def split(self) -> str:
        """The kind of division, such as "grouped"."""
        return self.division.rpartition("-")[0]

    @property
    def is_wrong(self) -> bool:
        """Whether the run gave the image another class."""
        return self.predicted != self.target


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many mistakes two networks share on what both were tested on.

    Attributes:
        networks: their names.
        split: the kind of division.
        n: images in test parts that both had, each counted once for every such part.
        wrong: how many each of them gets wrong.
        both: how many both get wrong.
    """

    networks: tuple[str, str]
    split: str
    n: int
    wrong: tuple[int, int]
    both: int

    @property
    def by_chance(self) -> float:
        """How many both would get wrong, were their mistakes independent of each other."""
        return self.wrong[0] * self.wrong[1] / self.n


@dataclass(frozen=True, slots=True)
class DoubtfulImage:
    """An image that two networks or more get wrong.

    Attributes:
        path: relative to the image set's folder.
        label: its class.
        wrong: for each network that was tested on it, in how many runs it was wrong.
        tested: likewise, in how many runs it was tested.
        called: the wrong classes that it was given, the most frequent first.
    """

    path: str
    label: str
    wrong: dict[str, int]
    tested: dict[str, int]
    called: tuple[str, ...]


def read_verdicts(studies: Sequence[Path]) -> list[Verdict]:
    """Return what every measured run of some studies said of its test images.

    Args:
        studies: folders as `blastscope reproduce tamim2025` leaves them, all of one image set.

    Raises:
        TrainingError: a folder holds no measured run, a measurement is damaged, two folders hold
            one run of a network each under one name, or are of other images.
    """
    verdicts: dict[tuple[str, str], list[Verdict]] = {}
    digests = set()
    for study in studies:
        paths = sorted(StudyFolder(study).runs.glob("*/*/measurement-test.json"))
        if not paths:
            raise TrainingError(
                "A study has runs that are measured on their test parts",
                got=f"{study}, which has none",
                next_step="Make it with blastscope reproduce tamim2025 DATA --out DIR",
            )
        for path in paths:
            key = path.parts[-3], path.parts[-2]
            if key in verdicts:
                raise TrainingError(
                    "A network is tested once under each division",
                    got=f"{key[0]}/{key[1]} again in {study}",
                    next_step="Give the studies of other networks or other seeds",
                )
            digest, verdicts[key] = _read(path, *key)
            digests.add(digest)
    if len(digests) > 1:
        raise TrainingError(
            "Mistakes are shared on one set of images",
            got=f"studies of {len(digests)} versions of it",
            next_step="Give studies that were made with the same images",
        )
    return [one for several in verdicts.values() for one in several]


def _read(path: Path, network: str, division: str) -> tuple[str, list[Verdict]]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        images = held["images"]
        rows = zip(
            images["sha256"], images["target"], images["predicted"][AS_THEY_ARE], strict=True
        )
        copies: Counter[str] = Counter()
        verdicts = []
        for sha256, target, predicted in rows:
            verdicts.append(
                Verdict(network, division, sha256, copies[sha256], int(target), int(predicted))
            )
            copies[sha256] += 1
        return str(held["rests_on"]["data_sha256"]), verdicts
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"The measurement {path} must be readable",
            got=f"{type(error).__name__}: {error}",
            next_step="Delete it, and give the command of its study again: it measures anew",
        ) from error


def overlaps(verdicts: Sequence[Verdict]) -> list[Overlap]:
    """Return how many mistakes each pair of networks shares, for each kind of division."""
    said: dict[str, dict[str, dict[Any, bool]]] = defaultdict(lambda: defaultdict(dict))
    for one in verdicts:
        said[one.split][one.network][one.division, one.sha256, one.copy] = one.is_wrong
    found = []
    for split, networks in sorted(said.items(), reverse=True):
        for first, second in combinations(sorted(networks), 2):
            shared = networks[first].keys() & networks[second].keys()
            if shared:
                pairs = [(networks[first][one], networks[second][one]) for one in shared]
                wrong = sum(a for a, _ in pairs), sum(b for _, b in pairs)
                both = sum(a and b for a, b in pairs)
                found.append(Overlap((first, second), split, len(shared), wrong, both))
    return found


def doubtful_images(verdicts: Sequence[Verdict], image_set: ImageSet) -> list[DoubtfulImage]:
    """Return the images that two networks or more get wrong, the most often wrong first.

    Args:
        verdicts: of all runs; files of the same content are one image.
        image_set: the images that they are of.

    Raises:
        TrainingError: some are of other images.
    """
    by_image: dict[str, list[Verdict]] = defaultdict(list)
    for one in verdicts:
        by_image[one.sha256].append(one)
    first = {digest: place for place, digest in reversed(list(enumerate(image_set.digests)))}
    if not by_image.keys() <= first.keys():
        raise TrainingError(
            "Studies and images belong together",
            got=f"{image_set.folder}, which lacks some of the images that the studies tested",
            next_step="Give the folder of images that the studies were made with",
        )
    found = []
    for digest, those in by_image.items():
        wrong = [one for one in those if one.is_wrong]
        if len({one.network for one in wrong}) < 2:
            continue
        called = _counts(image_set.labels[one.predicted] for one in wrong)
        found.append(
            DoubtfulImage(
                path=image_set.paths[first[digest]],
                label=image_set.labels[those[0].target],
                wrong=_counts(one.network for one in wrong),
                tested=_counts(one.network for one in those),
                called=tuple(sorted(called, key=lambda label: (-called[label], label))),
            )
        )
    return sorted(found, key=lambda one: (-_share(one), -sum(one.wrong.values()), one.path))


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _share(image: DoubtfulImage) -> float:
    return sum(image.wrong.values()) / sum(image.tested.values())


def draw_doubtful_images(path: Path, images: Sequence[DoubtfulImage], image_set: ImageSet) -> None:
    """Draw the first `MOST_SHOWN` images with what they are called, as PNG.

    Args:
        path: the PNG file.
        images: one or more.
        image_set: where they are from.

    Raises:
        OutputError: the picture cannot be written.
    """
    places = {name: place for place, name in enumerate(image_set.paths)}
    tiles = [
        Tile(
            image_set.images[places[one.path]],
            f"{PurePosixPath(one.path).name}\ntrue: {one.label}\n"
            f"said: {' or '.join(one.called)} ({_ratio(one)})",
            True,
        )
        for one in images[:MOST_SHOWN]
    ]
    draw_contact_sheet(path, tiles, 6)


def _ratio(image: DoubtfulImage) -> str:
    return f"{sum(image.wrong.values())} of {sum(image.tested.values())}"


def as_text(pairs: Sequence[Overlap], images: Sequence[DoubtfulImage]) -> str:
    """Write both as tables for people, with the first `MOST_SHOWN` images."""
    rows = [
        (
            f"{one.networks[0]}, {one.networks[1]}",
            one.split,
            f"{one.n:,}",
            *(str(count) for count in one.wrong),
            str(one.both),
            f"{one.by_chance:.2f}",
        )
        for one in pairs
    ]
    header = ("first, second", "split", "n", "wrong: first", "second", "both", "by chance")
    lines = [table(header, rows) if rows else "No two networks were tested on the same images."]
    if images:
        doubtful = [
            (one.path, one.label, " or ".join(one.called), _ratio(one))
            for one in images[:MOST_SHOWN]
        ]
        lines += ["", table(("image", "label", "said", "wrong in runs"), doubtful)]
        if len(images) > MOST_SHOWN:
            lines.append(f"These are {MOST_SHOWN} of {len(images)}; --json lists all.")
    else:
        lines += ["", "No image is wrong in more than one network."]
    return "\n".join(lines)


def as_json(pairs: Sequence[Overlap], images: Sequence[DoubtfulImage]) -> dict[str, Any]:
    """Return both as plain JSON types."""
    return {
        "overlaps": [{**asdict(one), "by_chance": one.by_chance} for one in pairs],
        "images": [asdict(one) for one in images],
    }
