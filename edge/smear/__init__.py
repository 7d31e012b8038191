"""The simulated microscope's generator: seeded, parametric fields of a stained blood smear.

The four classes differ as real ones do, in morphology (size, nucleus-to-cytoplasm ratio,
chromatin, nucleoli, nuclear outline, crowding), and not in colour: stain, illumination, focus and
scale bar are drawn without regard to the class. Simulated fields exercise a program; they are no
evidence about patients.

Example:
    >>> from edge.smear import render_field
    >>> render_field("Pre", seed=7).shape
    (224, 224, 3)
"""

from __future__ import annotations

from edge.smear.dataset import write_dataset
from edge.smear.field import FieldOptions, render_field
from edge.smear.morphology import LABELS, MORPHOLOGIES, Morphology

__all__ = [
    "LABELS",
    "MORPHOLOGIES",
    "FieldOptions",
    "Morphology",
    "render_field",
    "write_dataset",
]
