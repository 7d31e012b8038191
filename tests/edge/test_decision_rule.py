"""Which class counts, where scores are alike."""

from __future__ import annotations

import numpy as np

from edge.decision_rule import most_likely
from edge.labels import SMEAR_LABELS


def test_highest_score_counts() -> None:
    scores = np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.2, 0.6, 0.1]])
    assert most_likely(scores, SMEAR_LABELS).tolist() == [0, 2]
    assert most_likely(scores[1], SMEAR_LABELS) == 2


def test_benign_never_wins_a_tie() -> None:
    assert most_likely([128, 128, 0, 0], SMEAR_LABELS) == 1
    assert most_likely([86, 0, 84, 86], SMEAR_LABELS) == 3
    assert most_likely([0, 93, 70, 93], SMEAR_LABELS) == 1, "of malignant classes the first"
    assert most_likely([5, 5], ("all", "hem")) == 0
    assert most_likely([5, 5], ("hem", "all")) == 1
    assert most_likely([5, 5], ("a", "b")) == 0, "where none is known to be benign"
