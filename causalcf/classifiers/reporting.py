"""Scores a classifier and writes down what came out: JSON, a table, sheets of images, TensorBoard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..files import write_atomically
from ..data.images import to_unit_interval
from .classifier import AttributeClassifier
from .parts import Parts
from .report import Report
from .scores import score_attributes
from .sheets import save_sheets

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

JSON, TABLE = "report.json", "report.md"
CHUNK = 1024  # images in memory at a time


def write_report(folder: Path, classifier: AttributeClassifier, parts: Parts, seed: int, images_seen: int) -> Report:
    """Writes report.json, report.md, the sheets and TensorBoard's figures of a classifier.

    Args:
        folder: the classifier's own.
        classifier: trained and calibrated.
        parts: where it learned, and the images it is scored on.
        seed: of the simulated intervals.
        images_seen: length of its training, TensorBoard's clock.
    """
    scored, names = parts.scored, classifier.attributes
    index = torch.arange(len(scored)).split(CHUNK)
    probabilities = torch.cat([classifier(to_unit_interval(scored.pixels(places))) for places in index])
    draw = torch.Generator().manual_seed(seed)
    scores = score_attributes(names, scored.labels(names), probabilities, classifier.base_rates, draw)
    report = Report(folder.name, classifier, parts, scores)
    sheets = save_sheets(folder, names, scored, probabilities)
    with board_of(folder) as board:
        for name, score in scores.items():
            for figure in ("accuracy", "balanced_accuracy", "auroc"):
                board.add_scalar(f"{figure}/{name}", getattr(score, figure).value, images_seen)
            board.add_scalar(f"calibration_error/{name}", score.calibration.plain, images_seen)
        for name, (_, sheet) in sheets.items():
            board.add_image(f"right-and-wrong/{name}", sheet, images_seen, dataformats="HWC")
    write_atomically(folder / TABLE, report.to_markdown().encode())
    write_atomically(folder / JSON, json.dumps(report.to_dict(), indent=2).encode())
    return report


def board_of(folder: Path) -> SummaryWriter:
    """TensorBoard's events in a folder; a context that closes them."""
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))
