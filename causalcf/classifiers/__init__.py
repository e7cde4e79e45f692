"""Attribute classifiers: trained on labelled images, calibrated, and scored on unseen images."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Where each name lives; imported on first use, so that `python -m causalcf.classify --help` needs no torch.
_HOME = {
    "AttributeClassifier": "classifier",
    "ClassifierRecipe": "recipe",
    "Part": "splits",
    "load_classifier": "storage",
    "save_classifier": "storage",
    "score_attributes": "scores",
    "split_data": "splits",
    "train_classifier": "training",
    "whole": "splits",
}

__all__ = [*_HOME]

if TYPE_CHECKING:
    from .classifier import AttributeClassifier as AttributeClassifier
    from .recipe import ClassifierRecipe as ClassifierRecipe
    from .scores import score_attributes as score_attributes
    from .splits import Split as Split
    from .splits import split_data as split_data
    from .splits import whole as whole
    from .storage import load_classifier as load_classifier
    from .storage import save_classifier as save_classifier
    from .training import train_classifier as train_classifier


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
