"""Sheets of images that a classifier read rightly and wrongly, those it was surest of first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from ..inert import file_names
from ..pictures import Row, save_sheet
from ..data.images import to_unit_interval
from .parts import Part

SHOWN = 12  # images a row


def right_and_wrong(attribute: str, part: Part, truth: Tensor, p: Tensor) -> list[Row]:
    """Four rows: rightly said to have it, rightly not, wrongly, wrongly not; the surest first.

    Args:
        attribute: its name.
        part: the n images.
        truth: (n,) 0/1.
        p: (n,) probabilities; 1 is said above one half.
    """
    rows = []
    for verdict, right in (("right", True), ("wrong", False)):
        for value in (1, 0):
            places = (((p > 0.5) == bool(value)) & ((truth == value) == right)).nonzero().squeeze(1)
            surest = places[(p[places] - 0.5).abs().argsort(descending=True, stable=True)]
            said = int(((p > 0.5) == bool(value)).sum())
            title = f"{attribute}\nsaid {value}, {verdict}\n{len(places):,} of {said:,}"
            rows.append((title, to_unit_interval(part.pixels(surest[:SHOWN]))))
    return rows


def save_sheets(
    folder: Path, attributes: tuple[str, ...], part: Part, probabilities: Tensor
) -> dict[str, tuple[Path, np.ndarray]]:
    """Writes right-and-wrong-<Attribute>.png for every attribute; returns the files and pictures."""
    labels, sheets, files = part.labels(attributes), {}, file_names(attributes)
    for column, attribute in enumerate(attributes):
        rows = right_and_wrong(attribute, part, labels[:, column], probabilities[:, column])
        file = folder / f"right-and-wrong-{files[attribute]}.png"
        sheets[attribute] = file, save_sheet(file, rows)
    return sheets
