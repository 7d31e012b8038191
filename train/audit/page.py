"""An audit as one HTML page with its pictures inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge.cli.options import percent
from edge.labels import DISCLAIMER
from train.audit.audit import Audit
from train.audit.doubles import Group
from train.audit.pictures import strip, without_white_cells
from train.audit.plots import draw_colours, draw_shortcuts
from train.audit.shortcuts import corner
from train.audit.tables import shortcut_rows
from train.html_page import data_uri, write_html

#: How much of everything the page shows; the JSON report has it all.
_EXAMPLES = 8
_CORNERS = 9
_MASKED = 6
_DOUBLES = 12
_IN_GROUP = 10
_GROUPS = 80


def write_page(path: Path, audit: Audit, seed: int = 0) -> None:
    """Write the page.

    Args:
        path: the HTML file.
        audit: what was found.
        seed: of the choice of example images.

    Raises:
        OutputError: the page cannot be written.
    """
    write_html(
        path,
        "train.audit",
        "audit.html",
        disclaimer=DISCLAIMER,
        report=audit.report,
        classes=_classes(audit, np.random.default_rng(seed)),
        conflicts=_doubles(audit, audit.doubles.conflicts),
        exact=_doubles(audit, audit.doubles.exact),
        near=_doubles(audit, audit.doubles.near),
        groups=_pseudo_groups(audit),
        colours=data_uri(draw_colours(audit.image_set, audit.groups)),
        shortcuts=data_uri(draw_shortcuts(audit.report["shortcuts"])),
        rows=shortcut_rows(audit.report["shortcuts"]),
        percent=percent,
    )


def _classes(audit: Audit, generator: np.random.Generator) -> list[dict[str, Any]]:
    images = audit.image_set.images
    shown = []
    for target, label in enumerate(audit.image_set.labels):
        members = generator.permutation(np.flatnonzero(audit.image_set.targets == target))
        if not len(members):
            continue
        shown.append(
            {
                "label": label,
                "examples": strip([images[index] for index in members[:_EXAMPLES]], 128),
                "corners": strip([corner(images[index]) for index in members[:_CORNERS]], 68),
                "masked": strip(
                    [without_white_cells(images[index]) for index in members[:_MASKED]], 160
                ),
            }
        )
    return shown


def _doubles(audit: Audit, groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Describe some groups, spread evenly over all, since they are sorted by class."""
    chosen = np.linspace(0, len(groups) - 1, min(len(groups), _DOUBLES)).astype(int).tolist()
    return [
        {
            "paths": [audit.image_set.paths[index] for index in group[:4]],
            "more": len(group) - len(group[:4]),
            "picture": strip([audit.image_set.images[index] for index in group[:4]], 120),
        }
        for group in (groups[number] for number in chosen)
    ]


def _pseudo_groups(audit: Audit) -> list[dict[str, Any]]:
    """Describe the largest pseudo-groups in the order of their numbers, in which they are alike."""
    names, counts = np.unique(audit.groups, return_counts=True)
    largest = sorted(names[np.argsort(-counts, kind="stable")][:_GROUPS].tolist())
    shown = []
    for group in largest:
        members = np.flatnonzero(audit.groups == group)
        spread = members[np.linspace(0, len(members) - 1, min(len(members), _IN_GROUP)).astype(int)]
        counts_by_class = audit.report["pseudo_groups"]["images_by_class"][group]
        shown.append(
            {
                "number": group,
                "classes": {label: count for label, count in counts_by_class.items() if count},
                "picture": strip([audit.image_set.images[index] for index in spread], 72),
            }
        )
    return shown
