"""The kinds of division, and what each does and does not keep apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from edge.errors import SplitError

SplitKind = Literal["random", "grouped", "subject", "unseen-subjects"]

#: Each kind and its caveat, which is printed wherever figures under it are.
CAVEATS: Final[dict[SplitKind, str]] = {
    "random": (
        "random split by image: byte-identical and near-identical images are on one side, "
        "but patients may be on both"
    ),
    "grouped": (
        "grouped split: pseudo-groups, inferred from stain, scale bar and file numbers, are on "
        "one side; they are not patients, and patients may be on both"
    ),
    "subject": (
        "split by subject: subjects, as the file names tell them, are on one side; ids that share "
        "an image count as one subject"
    ),
    "unseen-subjects": (
        "unseen-subjects split: no subject of the test part, as the file names tell them, is in "
        "training or validation; ids that share an image count as one subject; validation has "
        "other source images of the training's subjects"
    ),
}

#: Each tests a fifth of the images, as a single division does unless it is told otherwise.
USUAL_FOLDS = 5

#: More folds than this are surely a slip.
MOST_FOLDS = 50

SPLIT_KINDS: Final[tuple[SplitKind, ...]] = tuple(CAVEATS)


@dataclass(frozen=True, slots=True)
class Fold:
    """One of several divisions, of which each has another test part.

    Attributes:
        number: which, from 1 on.
        folds: of how many.
    """

    number: int
    folds: int

    def __str__(self) -> str:
        return f"{self.number}/{self.folds}"


def caveat(kind: SplitKind, fold: str | None) -> str:
    """Return what figures under a division are exposed to.

    Args:
        kind: of the division.
        fold: such as "1/5"; None for a single division.
    """
    return CAVEATS[kind] + (f"; fold {fold}" if fold else "")


def fold_of_seed(kind: SplitKind, seed: int, folds: int = USUAL_FOLDS) -> Fold | None:
    """Return the fold that is tested with a seed, where figures are means over seeds.

    Few and large groups can be divided in few ways: single divisions with other seeds then test
    nearly the same images, and never those of the largest groups. In folds each is tested once.

    Args:
        kind: of the division.
        seed: from 0 on; those from 0 to `folds` - 1 have a fold each, and so on.
        folds: how many there are.

    Returns:
        None under "random", which has no groups to speak of.
    """
    return None if kind == "random" else Fold(seed % folds + 1, folds)


def parse_fold(text: str) -> Fold:
    """Read a fold such as "1/5".

    Raises:
        SplitError: it is none, or there are not 2 to `MOST_FOLDS` folds.
    """
    number, slash, folds = text.partition("/")
    if slash and number.isdecimal() and folds.isdecimal():
        fold = Fold(int(number), int(folds))
        if 1 <= fold.number <= fold.folds and 2 <= fold.folds <= MOST_FOLDS:
            return fold
    raise SplitError(
        f"A fold is I/K, the I-th of K folds, of which there are 2 to {MOST_FOLDS}",
        got=text,
        next_step="Give 1/5 for the first of five",
    )
