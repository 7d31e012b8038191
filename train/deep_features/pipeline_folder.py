"""A fitted pipeline with its backbone, in a folder that `blastscope evaluate` takes.

The pipeline is kept as skops keeps estimators: numbers and the names of types, of which only those
named here are ever built. A pickle would run whatever its maker put into it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from edge.errors import ModelFileError
from edge.output import make_folder, whole_file, write_json
from train.deep_features import PIPELINE_FILE
from train.deep_features.backbones import BACKBONES, Extractor, build_backbone, make_extractor
from train.deep_features.classifiers import class_scores
from train.deep_features.weights import FILE, Weights
from train.splits.split import Split, read_split, write_split

#: Types beside scikit-learn's public ones that a pipeline may hold.
TRUSTED = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "train.deep_features.pipelines.signed_root",
    "train.deep_features.selection.FeatureSelector",
)

_FORMAT = 1
_PIPELINE, _WEIGHTS, _SPLIT = "pipeline.skops", "backbone.weights.h5", "split.csv"


@dataclass(frozen=True, slots=True)
class PipelineDescription:
    """What a pipeline is made of, and what it was fitted on.

    Attributes:
        backbone: a name out of `train.deep_features.backbones.BACKBONES`.
        weights: the source of its weights; they lie in the folder whatever it was.
        columns: which of its features enter the pipeline.
        selector: a name out of `train.deep_features.selection.SELECTORS`.
        classifier: a name out of `train.deep_features.classifiers.CLASSIFIERS`.
        kept: features that the classifier sees.
        value: of the classifier's setting.
        labels: the classes, in the order of the scores.
        data_digest: version of the images.
        seed: of all that is random.
        pipeline_sha256: of the file with the pipeline.
        blastscope: version of this package.
        scikit_learn: version that fitted it.
    """

    backbone: str
    weights: str
    columns: list[int]
    selector: str
    classifier: str
    kept: int
    value: float
    labels: list[str]
    data_digest: str
    seed: int
    pipeline_sha256: str
    blastscope: str
    scikit_learn: str


def write_pipeline(
    folder: Path,
    pipeline: Pipeline,
    network: Any,
    split: Split,
    **description: Any,
) -> None:
    """Write a fitted pipeline; one that is there is replaced.

    Args:
        folder: is made where it is absent.
        pipeline: as `train.deep_features.pipelines.build_pipeline` builds it, fitted.
        network: its backbone, from `train.deep_features.backbones.build_backbone`.
        split: what it was fitted on and may be tested on.
        description: of `PipelineDescription`, all but `pipeline_sha256`.

    Raises:
        OutputError: a file cannot be written.
    """
    make_folder(folder)
    # Last comes what makes the folder a pipeline's, so that half of one is none.
    (folder / PIPELINE_FILE).unlink(missing_ok=True)
    content = skops.io.dumps(pipeline)
    with whole_file(folder / _PIPELINE) as temporary:
        temporary.write_bytes(content)
    with whole_file(folder / _WEIGHTS) as temporary:
        network.save_weights(temporary)
    with whole_file(folder / _SPLIT) as temporary:
        write_split(temporary, split)
    described = PipelineDescription(
        **description, pipeline_sha256=hashlib.sha256(content).hexdigest()
    )
    write_json(folder / PIPELINE_FILE, {"format": _FORMAT, **asdict(described)})


@dataclass(frozen=True, slots=True, eq=False)
class LoadedPipeline:
    """A pipeline made ready to score images.

    Attributes:
        description: what it is made of.
        side: height and width of its input in pixels.
        split: what it was fitted on.
        extract: gives the backbone's features.
        pipeline: scores them.
    """

    description: PipelineDescription
    side: int
    split: Split
    extract: Extractor
    pipeline: Pipeline

    def score(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class scores of images.

        Args:
            images: RGB, uint8, shape (n, side, side, 3).

        Returns:
            float32, shape (n, classes).
        """
        features = self.extract(images)[:, self.description.columns]
        return class_scores(self.pipeline, features)


def load_pipeline(folder: Path) -> LoadedPipeline:
    """Load a pipeline that `write_pipeline` wrote.

    Raises:
        ModelFileError: a file is absent, damaged, or holds a type that no pipeline has.
        SplitError: its split is damaged.
        TrainingError: its weights are not those of its backbone.
    """
    try:
        held = json.loads((folder / PIPELINE_FILE).read_text(encoding="utf-8"))
        if held.pop("format") != _FORMAT:
            raise ValueError("another format")
        description = PipelineDescription(**held)
        backbone = BACKBONES[description.backbone]
        content = (folder / _PIPELINE).read_bytes()
        if hashlib.sha256(content).hexdigest() != description.pipeline_sha256:
            raise ValueError(f"a {_PIPELINE} with another SHA-256")
        others = set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED)
        if others:
            raise ValueError(f"the types {', '.join(sorted(others))}")
        pipeline = skops.io.loads(content, trusted=list(TRUSTED))
        if not isinstance(pipeline, Pipeline):
            raise ValueError(f"a {type(pipeline).__name__}")
    # skops reports a file that is none of its own in many ways.
    except Exception as error:
        raise ModelFileError(
            f"The folder {folder} must hold a pipeline as `blastscope study deep-features` "
            "writes it",
            got=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            next_step="Make it again with the same command",
        ) from error
    split = read_split(folder / _SPLIT)
    weights = Weights(FILE, folder / _WEIGHTS, description.weights)
    network = build_backbone(backbone, weights)
    extract = make_extractor(backbone, network)
    return LoadedPipeline(description, backbone.side, split, extract, pipeline)
