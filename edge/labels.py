"""The classes that a network tells apart."""

from __future__ import annotations

from collections.abc import Sequence

#: Four classes of peripheral-blood fields of view, in the order of the networks' outputs:
#: benign (hematogones), early pre-B, pre-B and pro-B acute lymphoblastic leukemia, as named in
#: Aria et al., "Acute Lymphoblastic Leukemia (ALL) image dataset", DOI 10.34740/KAGGLE/DSV/2175623.
SMEAR_LABELS: tuple[str, ...] = ("Benign", "Early", "Pre", "Pro")

#: Single white cells, in the order of a network's outputs: leukemic B-lymphoblasts ("all", acute
#: lymphoblastic leukemia) and healthy B-lymphoid precursors ("hem"), as named in C-NMC 2019.
CELL_LABELS: tuple[str, ...] = ("all", "hem")

#: What a network is trained to tell apart, by name. A network that is tied to no task takes the
#: classes as they come.
TASKS: dict[str, tuple[str, ...]] = {"binary": CELL_LABELS}

#: Shown wherever a person reads a result.
DISCLAIMER = "Research use only, not a medical device."

#: What the known image sets call their healthy class: "Benign" in the set of fields of view, and
#: "hem" (normal, from "hematological") in C-NMC 2019, DOI 10.7937/tcia.2019.dc64i46r.
BENIGN_LABELS: tuple[str, ...] = ("Benign", "hem")


def benign_label(labels: Sequence[str]) -> str | None:
    """Return which of some classes is the healthy one; all others are malignant.

    Args:
        labels: the classes' names.

    Returns:
        The name; None where it is not known, or where there is no other class.
    """
    known = [label for label in labels if label in BENIGN_LABELS]
    return known[0] if len(known) == 1 and len(labels) > 1 else None
