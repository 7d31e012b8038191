"""From the fields of one specimen to an answer about it.

Example:
    >>> specimen = Specimen(classifier.model)
    >>> for frame in frames:
    ...     specimen.add(classifier.classify(frame), frame)
    >>> answer = specimen.answer()
    >>> print(answer.verdict, answer.interval, answer.more_fields)
"""

from __future__ import annotations

from edge.specimen.rule import Outcome, SpecimenRule, SpecimenVerdict
from edge.specimen.specimen import ClassShare, Specimen, SpecimenAnswer

__all__ = [
    "ClassShare",
    "Outcome",
    "Specimen",
    "SpecimenAnswer",
    "SpecimenRule",
    "SpecimenVerdict",
]
