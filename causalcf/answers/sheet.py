"""Picture sheet of an answer: actual faces on the left, their counterfactual draws beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ..language import short
from ..pictures.captions import Panel, save_captioned
from .answer import Answer

_NAMED = ("Male", "Young")  # in captions whatever their value: both values have a word


def save_answer(path: str | Path, answer: Answer, rows: int = 6) -> None:
    """Write the answer as a picture: one row per face with its draws, captions and changed labels."""
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
    """Return the labels classified as present; given and antecedent labels appear even when absent."""
    asked = {*answer.query.given, *answer.query.antecedent}
    return ", ".join(short(name, value) for name, value in labels.items() if value or name in asked or name in _NAMED)


def _differences(answer: Answer, was: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    changed = [short(name, value) for name, value in now.items() if was[name] != value]
    missed = [short(name, value) for name, value in answer.query.antecedent.items() if now[name] != value]
    lines = [f"now: {', '.join(changed)}"] if changed else ["nothing changed"]
    return lines + ([f"not seen: {', '.join(missed)}"] if missed else [])
