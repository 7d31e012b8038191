"""Ways to tell that images are unlike the training, on embeddings whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.model_file import read_model_file
from quantize.domain_comparison import Seen, compare, look
from tests.edge.small_model import SIDE, make_model

GENERATOR = np.random.default_rng(0)
CENTRES = GENERATOR.normal(0, 6, (3, 24))


def drawn(n: int, shift: float = 0.0) -> tuple[Seen, np.ndarray]:
    """Embeddings of three classes along eight axes, moved along one that none of them uses."""
    targets = GENERATOR.integers(0, 3, n)
    values = CENTRES[targets] + np.pad(GENERATOR.normal(0, 1, (n, 8)), ((0, 0), (0, 16)))
    values[:, -1] += shift + GENERATOR.normal(0, 0.05, n)
    return Seen(values.astype(np.float32), (values @ CENTRES.T).astype(np.float32)), targets


def test_what_lies_outside_the_training_is_refused_by_the_way_in_use() -> None:
    train, targets = drawn(1500)
    validation, test = drawn(400)[0], drawn(600)[0]
    rows = compare(train, targets, validation, test, {"far": drawn(300, shift=9.0)[0]})
    found = {(row.way.split(",")[0], row.images): row for row in rows}
    used = found["Mahalanobis in 16 directions", "far"]
    assert used.refused == used.n == 300
    assert used.auroc == 1.0
    assert found["Mahalanobis in 16 directions", "test part"].refused <= 600 * 0.04
    assert found["Mahalanobis in 16 directions", "test part"].auroc is None
    # The shift leaves the logits nearly as they are.
    assert found["highest probability", "far"].refused < 300
    assert len(rows) == 2 * 5


def test_network_is_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "small.tflite"
    path.write_bytes(make_model())
    frames = GENERATOR.integers(0, 256, (5, 2 * SIDE, 3 * SIDE, 3), np.uint8)
    seen = look(read_model_file(path), frames)
    assert seen.embeddings.shape == (5, 3)
    assert seen.logits.shape == (5, 4)
    # The embedding is the mean colour.
    middle = frames[:, :, SIDE // 2 : -SIDE // 2].mean(axis=(1, 2))
    np.testing.assert_allclose(seen.embeddings, (middle - 128) / 128, atol=0.02)
