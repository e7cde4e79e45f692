"""An answer as a sheet: actual faces on the left, their counterfactual draws beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from .answers import Answer
from .captioned import Panel, save_captioned
from .language import short

_NAMED = ("Male", "Young")  # in captions whatever their value: both values have a word


def save_answer(path: str | Path, answer: Answer, rows: int = 6) -> None:
    """The sheet: on each row an actual face and its draws, what is judged to be in each, and what changed.

    Args:
        path: the picture to write.
        answer: what to show.
        rows: how many of the faces, at most.

    Raises:
        DataError: the file cannot be written.
    """
    panels = []
    for i in range(min(rows, len(answer.actual))):
        was = _by_name(answer, answer.labels[i])
        row = [Panel(answer.actual[i], [_caption(answer, was)])]
        for j in range(answer.drawn.shape[1]):
            now = _by_name(answer, answer.drawn_labels[i, j])
            changes = _differences(answer, was, now)
            row.append(Panel(answer.drawn[i, j], [_caption(answer, now), *changes], len(changes)))
        panels.append(row)
    headings = ["actual", *(f"draw {j + 1}" for j in range(answer.drawn.shape[1]))]
    save_captioned(path, panels, title=str(answer.query), headings=headings)


def _by_name(answer: Answer, labels: Tensor) -> dict[str, int]:
    return dict(zip(answer.names, labels.tolist(), strict=True))


def _caption(answer: Answer, labels: Mapping[str, int]) -> str:
    """What is seen, and of the labels asked about also what is not."""
    asked = {*answer.query.given, *answer.query.antecedent}
    return ", ".join(short(name, value) for name, value in labels.items() if value or name in asked or name in _NAMED)


def _differences(answer: Answer, was: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    changed = [short(name, value) for name, value in now.items() if was[name] != value]
    missed = [short(name, value) for name, value in answer.query.antecedent.items() if now[name] != value]
    lines = [f"now: {', '.join(changed)}"] if changed else ["nothing changed"]
    return lines + ([f"not seen: {', '.join(missed)}"] if missed else [])
