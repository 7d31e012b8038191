"""Evaluation of trained models; of int8 files without TensorFlow, Keras or scikit-learn."""

from train.evaluation.evaluation import evaluate
from train.evaluation.models import EvaluationModel, load_evaluation_model, score_int8

__all__ = ["EvaluationModel", "evaluate", "load_evaluation_model", "score_int8"]
