"""The random changes that a training may use, by name."""

from __future__ import annotations

from collections.abc import Sequence

from edge.errors import TrainingError

#: Every change by name, and what it does.
AUGMENTATIONS: dict[str, str] = {
    "corner": "scale bars taken out, or another image's put in",
    "turn": "mirrored, and turned by quarter turns",
    "rotation": "half of them turned by any angle, with black around, a little larger or smaller",
    "channel": "each colour channel's optical density",
    "stain": "amounts of three stains (HED)",
    "exposure": "lamp and exposure",
    "white-balance": "gains of the colour channels",
    "hue": "hue, saturation and lightness in CIELAB, a quarter of the images",
    "defocus": "blur, an eighth of the images",
    "noise": "sensor noise, an eighth of the images",
    "jpeg": "JPEG compression, an eighth of the images",
}


def check_augmentations(names: Sequence[str]) -> None:
    """Refuse names that are not in `AUGMENTATIONS`.

    Raises:
        TrainingError: a name is unknown.
    """
    if unknown := sorted(set(names) - set(AUGMENTATIONS)):
        raise TrainingError(
            f"Augmentations are {', '.join(AUGMENTATIONS)}",
            got=", ".join(unknown),
            next_step="Choose among them",
        )
