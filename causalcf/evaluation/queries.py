"""The questions in English, asked of every approach: was the antecedent seen, and what else changed?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ..errors import ImpossibleWorldError, UnreachedError
from ..labels.cells import matching
from ..seeds import generator_of
from ..worlds.query import Query
from .approaches import lost_units
from .effectiveness import Rate
from .pairs_picture import picture_name, save_pairs
from .session import Session


def ask_query(folder: Path, session: Session, name: str, query: Query, faces: int) -> dict[str, Any]:
    """One question to one approach, in the approach's own mode, JSON-ready.

    Args:
        folder: where the picture goes.
        session: the approach being asked.
        name: of the question.
        query: the question.
        faces: how many.
    """
    approach, judge = session.approach, session.judge
    told: dict[str, Any] = {"name": name, "question": str(query.as_mode(approach.mode)), "approach": approach.name}
    nothing: dict[str, Any] = {"seen": [], "antecedent": None, "picture": None}
    draw = generator_of(session.settings.seed, "query", name)
    try:
        worlds = approach.actual(faces, query.given, draw)
    except (UnreachedError, ImpossibleWorldError) as error:
        return {**told, **nothing, "error": str(error)}
    asked = {label: torch.full((faces,), value, dtype=torch.int8) for label, value in query.antecedent.items()}
    possible, expected = session.reference.answer(worlds.labels, asked, approach.mode, approach.stickiness)
    found = approach.counterfactual(worlds, asked, draw)
    lost = lost_units(found.unreached, found.impossible)
    problem = f"of {faces} faces {lost}" if lost else None
    if not len(found.rows):
        return {**told, **nothing, "error": problem}
    before, after = judge.read(worlds.images[found.rows]), judge.read(found.images)
    sure = possible[found.rows]
    seen = []
    for column, label in enumerate(approach.nodes):
        was, now = (Rate(int(read[:, column].sum()), len(read)) for read in (before, after))
        mean = float(expected[found.rows][sure, column].mean()) if bool(sure.any()) else None
        seen.append({"label": label, "before": was.to_dict(), "after": now.to_dict(), "expected": mean})
    shown = matching(after, approach.nodes, query.antecedent)
    picture = picture_name("query", approach.name, name)
    save_pairs(folder / picture, worlds.images[found.rows], found.images, before, after, approach.nodes, str(query))
    return {
        **told,
        "seen": seen,
        "antecedent": Rate(int(shown.sum()), len(shown)).to_dict(),
        "picture": picture,
        "error": problem,
    }
