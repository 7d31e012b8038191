"""The files of a study of deep features."""

from __future__ import annotations

from pathlib import Path

from edge.output import whole_file, write_json
from train.deep_features.pipeline_folder import write_pipeline
from train.studies.deep_features import DeepStudy
from train.studies.deep_pictures import draw_counts, draw_heat_map
from train.studies.deep_tables import deep_markdown


def write_deep_study(folder: Path, study: DeepStudy) -> None:
    """Write `deep-features.md` and `.json`, `heat-map.png`, `features.png` and `pipeline/`.

    Args:
        folder: the study's folder.
        study: what it came to.

    Raises:
        OutputError: a file cannot be written.
    """
    with whole_file(folder / "deep-features.md") as temporary:
        temporary.write_text(deep_markdown(study.report), encoding="utf-8")
    write_json(folder / "deep-features.json", study.report)
    draw_heat_map(folder / "heat-map.png", study.report)
    draw_counts(folder / "features.png", study.report)
    write_pipeline(
        folder / "pipeline", study.winner, study.network, study.split, **study.description
    )
