"""A study's results as JSON, for machines and for the tables that are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from train.robustness.catalogue import DEGRADATIONS
from train.robustness.degradation import REFERENCE_HEIGHT, Degradation
from train.robustness.material import Material
from train.robustness.outcome import Outcome
from train.robustness.study import Robustness
from train.robustness.tolerance import TOLERATED_POINTS, Tolerance


def robustness_report(
    material: Material, results: Mapping[str, Robustness], seed: int
) -> dict[str, Any]:
    """Return what was measured, on what, and with which parameters.

    Args:
        material: models and images.
        results: of `train.robustness.study.measure`.
        seed: that they were measured with.

    Returns:
        `data {part, n, n_in_part, labels, sha256}, seed, reference_height, tolerated_points,
        catalogue {degradation: {nature, parameter, intact, values}}, models {name: {path,
        trained_on, clean {accuracy, accuracy_ci95}, mean_corruption_accuracy,
        mean_corruption_accuracy_ci95, degradations {degradation: {severities: [outcome], tolerance
        {severity, value, reached}}}, alterations {alteration: outcome}}}`. An outcome is
        `{accuracy, accuracy_ci95, unchanged, drop_points}`, with `drop_points_ci95` for
        alterations. Shares are in [0, 1].
    """
    return {
        "data": {
            "part": material.part,
            "n": len(material.images),
            "n_in_part": material.n_in_part,
            "labels": list(material.labels),
            "sha256": material.data_digest,
        },
        "seed": seed,
        "reference_height": REFERENCE_HEIGHT,
        "tolerated_points": TOLERATED_POINTS,
        "catalogue": {one.name: _parameters(one) for one in DEGRADATIONS},
        "models": {
            name: {
                "path": str(path),
                "trained_on": trained_on,
                **_model_report(results[name], material, seed),
            }
            for name, path, trained_on in zip(
                material.models, material.paths, material.trained_on, strict=True
            )
        },
    }


def _model_report(result: Robustness, material: Material, seed: int) -> dict[str, Any]:
    return {
        "clean": {
            "accuracy": result.clean.accuracy,
            "accuracy_ci95": list(result.clean.accuracy_ci95),
        },
        "mean_corruption_accuracy": result.mean_corruption_accuracy,
        "mean_corruption_accuracy_ci95": list(result.mean_corruption_accuracy_ci95),
        "alterations": {
            name: {
                **_outcome(one),
                "drop_points_ci95": list(one.drop_points_ci95(material.clusters, seed)),
            }
            for name, one in result.alterations.items()
        },
        "degradations": {
            name: {
                "severities": [_outcome(one) for one in rows],
                "tolerance": _tolerance(result.tolerances[name]),
            }
            for name, rows in result.degradations.items()
        },
    }


def _parameters(degradation: Degradation) -> dict[str, Any]:
    return {
        "nature": degradation.nature,
        "parameter": degradation.parameter,
        "intact": degradation.intact,
        "values": list(degradation.values),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "accuracy": outcome.accuracy,
        "accuracy_ci95": list(outcome.accuracy_ci95),
        "unchanged": outcome.unchanged_share,
        "drop_points": outcome.drop_points,
    }


def _tolerance(one: Tolerance) -> dict[str, Any]:
    return {"severity": one.severity, "value": one.value, "reached": one.reached}
