"""English questions and statements asked of every approach, beside the label model's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import ImpossibleWorldError, UnreachedError
from ..labels.evidence import matching
from ..language.modals import MODALS, Interval
from ..language.query import Query
from ..language.statement import Statement, Truth
from ..randomness import generator_of
from ..statistics.rates import Rate
from .approaches import units_missed
from .flips import picture_name, save_pairs
from .session import Session, conditions, too_few

NO_VERDICT = "no verdict"


def ask_query(folder: Path, session: Session, name: str, query: Query, faces: int) -> dict[str, Any]:
    """Ask one approach one question about `faces` faces in its own mode; return it JSON-ready."""
    approach, judge = session.approach, session.judge
    common: dict[str, Any] = {"name": name, "question": str(query.as_mode(approach.mode)), "approach": approach.name}
    nothing: dict[str, Any] = {"seen": [], "antecedent": None, "picture": None}
    draw = generator_of(session.settings.seed, "query", name)
    try:
        worlds = approach.actual(faces, query.given, draw)
    except (UnreachedError, ImpossibleWorldError) as error:
        return {**common, **nothing, "error": str(error)}
    asked = {label: torch.full((faces,), value, dtype=torch.int8) for label, value in query.antecedent.items()}
    possible, expected = session.reference.answer(worlds.labels, asked, approach.mode, approach.stickiness)
    found = approach.counterfactual(worlds, asked, draw).possible(possible)
    problem = f"of {faces} faces {found.lost}" if found.lost else None
    if not len(found.rows):
        return {**common, **nothing, "error": problem}
    before, after = judge.read(worlds.images[found.rows]), judge.read(found.images)
    seen = []
    for column, label in enumerate(approach.nodes):
        was, now = (_shown(read, approach.nodes, {label: 1}).to_dict() for read in (before, after))
        seen.append(
            {"label": label, "before": was, "after": now, "expected": float(expected[found.rows, column].mean())}
        )
    picture = picture_name("query", approach.name, name)
    save_pairs(folder / picture, worlds.images[found.rows], found.images, before, after, approach.nodes, str(query))
    return {
        **common,
        "seen": seen,
        "antecedent": _shown(after, approach.nodes, query.antecedent).to_dict(),
        "picture": picture,
        "error": problem,
    }


def ask_statement(session: Session, name: str, statement: Statement) -> dict[str, Any]:
    """Ask one approach one statement in its own mode; return the statement's entry of report.json."""
    approach, scm = session.approach, session.reference.scm
    here = replace(statement, mode=approach.mode).truth(scm, approach.stickiness)
    common = {
        "name": name,
        "sentence": str(statement),
        "statement": asdict(statement),
        "asks": f"a probability {MODALS[statement.modal].interval()}",
        "truth": asdict(statement.truth(scm)),
        "approach": approach.name,
        "mode": approach.mode,
        "stickiness": approach.stickiness,
        "model": asdict(here),
    }
    return {**common, **_answer(session, name, statement, here)}


def image_verdict(shown: Rate, asked: Interval) -> str:
    """Return "true" if the whole interval satisfies the modal, "false" if none does, or "undecided"."""
    low, high = shown.interval
    if low in asked and high in asked:
        return "true"
    return "undecided" if asked.meets(Interval(low, high)) else "false"


def _answer(session: Session, name: str, statement: Statement, here: Truth) -> dict[str, Any]:
    """Measure the rates in the images and return them with the verdict."""
    approach, judge, n = session.approach, session.judge, session.settings.n
    if here.vacuous:
        return _nothing({"asked": 0, "unreached": 0, "impossible": 0, "told": ""}, here.reason)
    try:
        worlds, seen = session.worlds(conditions(statement.given))
    except (UnreachedError, ImpossibleWorldError) as error:  # nobody is as given
        return _nothing(units_missed(n, error), str(error))
    asked = {label: torch.full((n,), value, dtype=torch.int8) for label, value in statement.antecedent.items()}
    expected = session.reference.expect(
        worlds.labels, statement.antecedent, statement.consequent, approach.mode, approach.stickiness
    )
    draw = generator_of(session.settings.seed, "statement", name)
    found = approach.counterfactual(worlds, asked, draw).possible(expected.isfinite())
    rows, units = found.rows, found.units(n)
    if not len(rows):
        return _nothing(units, too_few(0, n, found.lost))
    consequent, reads = statement.consequent, (seen[rows], judge.read(found.images))
    before, after = (_shown(read, approach.nodes, consequent) for read in reads)
    q_expected, asks = float(expected[rows].mean()), MODALS[statement.modal].interval()
    why = too_few(len(rows), n, found.lost) or "; ".join(filter(None, map(judge.too_weak, consequent)))
    return {
        "n": len(rows),
        "units": units,
        "seen_before": before.to_dict(),
        "q_images": after.to_dict(),
        "q_expected": q_expected,
        "expected": q_expected in asks,
        "verdict": NO_VERDICT if why else image_verdict(after, asks),
        "why": why,
    }


def _shown(read: Tensor, nodes: Sequence[str], labels: Mapping[str, int]) -> Rate:
    """Return the rate of rows of (r, d) labels read that have all of these labels."""
    hits = matching(read, nodes, labels)
    return Rate(int(hits.sum()), len(hits))


def _nothing(units: dict[str, Any], why: str) -> dict[str, Any]:
    figures: dict[str, Any] = dict.fromkeys(("seen_before", "q_images", "q_expected", "expected"))
    return {"n": 0, "units": units, **figures, "verdict": NO_VERDICT, "why": why}
