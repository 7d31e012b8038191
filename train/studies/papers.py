"""Papers whose tables can be made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.errors import TrainingError


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper, and what it says that its networks reach.

    Attributes:
        key: what the command line calls it.
        citation: who, what and where.
        data: the image set that it is about.
        labels: the classes of that set.
        accuracies: for each of our networks, in the order of the table, the accuracy that the
            paper gives for its own of that kind.
        caveat: what the paper's figures lack.
    """

    key: str
    citation: str
    data: str
    labels: frozenset[str]
    accuracies: Mapping[str, float]
    caveat: str


PAPERS: dict[str, Paper] = {
    paper.key: paper
    for paper in (
        Paper(
            key="tamim2025",
            citation="Tamim et al., “Detection and Classification of Acute Lymphoblastic Leukemia "
            "Utilizing Deep Transfer Learning”, arXiv 2501.14228 (2025)",
            data="Aria et al., “Acute Lymphoblastic Leukemia (ALL) image dataset”, "
            "DOI 10.34740/KAGGLE/DSV/2175623",
            labels=frozenset({"Benign", "Early", "Pre", "Pro"}),
            accuracies={
                "mobilenet-v2": 0.9969,
                "custom-cnn": 0.986,
                "custom-cnn-paper": 0.986,
            },
            caveat="The paper's figures are those of its abstract: one accuracy for MobileNetV2 "
            "with an altered head and one for a custom CNN, without n, interval or seeds. It "
            "balances its training images with SMOTE. Its custom CNN stands beside ours "
            "(custom-cnn) and beside its published form (custom-cnn-paper).",
        ),
    )
}


def find_paper(key: str) -> Paper:
    """Return a paper by its key.

    Raises:
        TrainingError: there is no such paper.
    """
    if key not in PAPERS:
        raise TrainingError(
            f"The papers that can be reproduced are {', '.join(PAPERS)}",
            got=key,
            next_step="Choose one of them",
        )
    return PAPERS[key]


#: What is set beside a study of deep features.
PREANTO_CITATION = (
    "Preanto et al., “A study on deep feature extraction to detect and classify Acute "
    "Lymphoblastic Leukemia (ALL)”, arXiv 2409.06687 (2024)"
)

#: The accuracy that the paper names, by our name of the backbone.
PREANTO_ACCURACY = {"resnet101": 0.87}
