"""An answer as text, as JSON, and as a sheet of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from ..language import short
from ..pictures.sheets import Panel, save_captioned
from ..statistics.rates import Rate
from .answer import Answer

_NAMED = ("Male", "Young")  # in captions whatever their value: both values have a word
JUDGES = {
    "classifier": "a separate classifier",
    "labeler": "the run's own Labeler, which its generator was trained to satisfy",
}


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


def to_text(answer: Answer) -> str:
    """Return the answer as text: the question, a table of all labels, and other changes."""
    return "\n".join([*_asked(answer), "", *_table(answer), "", *_changes(answer)])


def to_dict(answer: Answer) -> dict[str, Any]:
    """Return the answer as plain values for JSON; rates carry a 95 % Wilson interval (low, high)."""
    query, exact, expected = answer.query, answer.label_answer, answer.expected
    labels = {}
    for name, seen in answer.seen.items():
        text = {**asdict(exact.exact[name]), "these_faces": expected[name]} if exact and expected else None
        rates = {"before": _rate(seen.before), "after": _rate(seen.after)}
        before, after = answer.sampled[name] if answer.sampled else (None, None)
        drawn = {"before": _rate(before), "after": _rate(after)} if before and after else None
        labels[name] = {"exact": text, "sampled": drawn, "judged": {**rates, "gained": seen.gained, "lost": seen.lost}}
    return {
        "question": str(query),
        "given": query.given,
        "antecedent": query.antecedent,
        "mode": query.mode,
        "stickiness": answer.stickiness,
        "noise_stickiness": answer.noise_stickiness,
        "faces": answer.drawn.shape[0],
        "draws": answer.drawn.shape[1],
        "reachable": answer.reachable,
        "base_rate": exact.base_rate if exact else None,
        "judge": answer.judge,
        "caveat": answer.caveat,
        "note": answer.note,
        "labels": labels,
    }


def _asked(answer: Answer) -> list[str]:
    query = answer.query
    n, m = answer.drawn.shape[:2]
    sticky = f"stickiness {answer.stickiness:g} (image noise {answer.noise_stickiness:g})"
    lines = [
        str(query),
        f"given {conditions(query.given) or 'nothing'}; {query.mode} {conditions(query.antecedent)}; {sticky}; "
        f"{n} faces, {m} draws each",
    ]
    if answer.reachable is not None:
        how = "an intervention sets it"
        if query.mode == "observe":
            how = "in the counterfactual world, before it is conditioned"
            how += "" if answer.label_answer else " (estimated from the draws of noise)"
        lines.append(f"P(antecedent reachable) = {_probability(answer.reachable)}: {how}")
    if answer.label_answer:
        given = f" | {conditions(query.given)}" if query.given else ""
        base = f"P({conditions(query.antecedent)}{given}) = {_probability(answer.label_answer.base_rate)}"
        lines.append(f"{base} in the actual world, by the label model")
    return lines


def _table(answer: Answer) -> list[str]:
    exact, expected, observed = answer.label_answer, answer.expected, answer.query.mode == "observe"
    heads = ["P(label = 1)"]
    if exact:
        heads += ["exact before", "exact after"] + (["exact, these faces"] if observed else [])
    if answer.sampled:
        heads += ["sampled before", "sampled after"]
    heads += ["judged before", "judged after"]
    rows = [heads]
    for name, seen in answer.seen.items():
        row = [name + (" (antecedent)" if name in answer.query.antecedent else "")]
        if exact and expected:
            row += [_probability(exact.exact[name].before), _probability(exact.exact[name].after)]
            row += [_probability(expected[name])] if observed else []
        row += [str(rate.estimate) for rate in answer.sampled[name]] if answer.sampled else []
        rows.append([*row, str(seen.before.estimate), str(seen.after.estimate)])
    lines = in_columns(rows)
    lines.append(f"judged by {JUDGES[answer.judge]}; [95 % Wilson interval over faces]")
    lines += [f"beware: {answer.caveat}"] if answer.caveat else []
    if not exact:
        lines.append(f"no exact answer: {answer.note}")
        if answer.sampled:
            n = next(iter(answer.sampled.values()))[0].n
            lines.append(f"sampled: {n:,} draws of the label model in place of it; [95 % Wilson interval]")
        return lines
    lines += [answer.note] if answer.note else []
    if observed:
        lines.append("exact after: given and antecedent jointly; people with a more probable antecedent count more")
        lines.append("exact, these faces: the mean over the sampled faces, which count equally")
    return lines


def _changes(answer: Answer) -> list[str]:
    others = [name for name in answer.names if name not in answer.query.antecedent]
    lines = []
    if answer.label_answer:
        exact = answer.label_answer.exact
        both = {name: (_probability(exact[name].before), _probability(exact[name].after)) for name in others}
        text = [f"{name} {before} -> {after}" for name, (before, after) in both.items() if before != after]
        lines.append(f"what else changes in the label model: {'; '.join(text) or 'nothing'}")
    moved = [(name, answer.seen[name]) for name in others if answer.seen[name].flips]
    moved.sort(key=lambda one: -one[1].flips)
    text = [f"{short(name, 1)} (came {seen.gained}, went {seen.lost})" for name, seen in moved]
    lines.append(f"what else changes in the images, of {len(answer.actual)}: {', '.join(text) or 'nothing'}")
    return lines


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of rows of cells, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def conditions(values: Mapping[str, int]) -> str:
    """Return labels with values, as in Male=1, Young=0."""
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _probability(p: float) -> str:
    """Format with four decimals, or with two significant digits if the value would round to zero."""
    return f"{p:.4f}" if p >= 5e-4 or p < 1e-12 else f"{p:.1e}"


def _rate(rate: Rate) -> dict[str, float]:
    low, high = rate.interval
    return {"hits": rate.hits, "n": rate.n, "rate": rate.value, "low": low, "high": high}
