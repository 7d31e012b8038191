"""The classes that a network tells apart."""

from __future__ import annotations

#: Four classes of peripheral-blood fields of view, in the order of the networks' outputs:
#: benign (hematogones), early pre-B, pre-B and pro-B acute lymphoblastic leukemia, as named in
#: Aria et al., "Acute Lymphoblastic Leukemia (ALL) image dataset", DOI 10.34740/KAGGLE/DSV/2175623.
SMEAR_LABELS: tuple[str, ...] = ("Benign", "Early", "Pre", "Pro")

#: Shown wherever a person reads a result.
DISCLAIMER = "Research use only, not a medical device."
