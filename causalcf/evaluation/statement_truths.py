"""Statements asked of an approach: how often their consequent shows in the images, beside what the label model says."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor

from ..errors import ImpossibleWorldError, UnreachedError
from ..labels.cells import matching
from ..seeds import generator_of
from ..statement import Statement
from ..statement_modals import MODALS, Interval
from ..statement_truth import Truth
from .approaches import lost_units
from .effectiveness import Rate
from .judge import Judge
from .session import Session, conditions
from .settings import too_few

TRUE, FALSE, UNDECIDED, NO_VERDICT = "true", "false", "undecided", "no verdict"
VERDICTS = (TRUE, FALSE, UNDECIDED, NO_VERDICT)


def ask_statement(session: Session, name: str, statement: Statement) -> dict[str, Any]:
    """One statement asked of one approach, in the approach's own mode and at its stickiness, JSON-ready.

    Actual worlds are as given; the judge reads their counterfactuals, and q in the images is the share that shows the
    whole consequent. Every unit counts once there. Under observe the label model's q counts people by how probable the
    antecedent is of them, so what it says of the same units, each counted once, stands beside it as `q_expected`, and
    whether that makes the statement true as `expected`: what the verdict of a faithful renderer is.

    Args:
        session: the approach being asked.
        name: of the statement.
        statement: over labels of the approach.

    Returns:
        The statement's entry in report.json; without a verdict, and with the reason, where nobody could be asked.

    Source: defined here; the interval is Wilson's (1927).
    """
    approach, scm = session.approach, session.reference.scm
    here = replace(statement, mode=approach.mode).truth(scm, approach.stickiness)
    told = {
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
    return {**told, **_answer(session, name, statement, here)}


def image_verdict(shown: Rate, asked: Interval) -> str:
    """Whether the whole interval of a rate satisfies a modal, or none of it does.

    Args:
        shown: how often the consequent was seen, of at least one unit.
        asked: the probabilities that make the statement true.

    Returns:
        "true", "false" or "undecided".

    Example:
        >>> might = MODALS["might"].interval()
        >>> [image_verdict(Rate(hits, 400), might) for hits in (40, 20, 4)]
        ['true', 'undecided', 'false']
    """
    low, high = shown.interval
    if low in asked and high in asked:
        return TRUE
    return UNDECIDED if asked.meets(Interval(low, high)) else FALSE


def _answer(session: Session, name: str, statement: Statement, here: Truth) -> dict[str, Any]:
    """What was seen, and the verdict on it."""
    if here.vacuous:
        return _nothing(0, "", here.reason)
    approach, n = session.approach, session.settings.n
    try:
        worlds, seen = session.worlds(conditions(statement.given))
    except (UnreachedError, ImpossibleWorldError) as error:  # nobody is as given
        return _nothing(n, "unreached" if isinstance(error, UnreachedError) else "impossible", str(error))
    asked = {label: torch.full((n,), value, dtype=torch.int8) for label, value in statement.antecedent.items()}
    found = approach.counterfactual(worlds, asked, generator_of(session.settings.seed, "statement", name))
    lost = lost_units(found.unreached, found.impossible)
    units = {"asked": n, "unreached": found.unreached, "impossible": found.impossible, "told": lost}
    if not len(found.rows):
        return {**_nothing(n, "", too_few(0, n, lost)), "units": units}
    before, after = (_shown(read, session, statement) for read in (seen[found.rows], session.judge.read(found.images)))
    expected = session.reference.expect(
        worlds.labels[found.rows], statement.antecedent, statement.consequent, approach.mode, approach.stickiness
    )
    known, asks = expected[expected.isfinite()], MODALS[statement.modal].interval()
    q_expected = float(known.mean()) if len(known) else None
    why = too_few(len(found.rows), n, lost) or _unreadable(session.judge, statement)
    return {
        "n": len(found.rows),
        "units": units,
        "seen_before": before.to_dict(),
        "q_images": after.to_dict(),
        "q_expected": q_expected,
        "expected": None if q_expected is None else q_expected in asks,
        "verdict": NO_VERDICT if why else image_verdict(after, asks),
        "why": why,
    }


def _shown(read: Tensor, session: Session, statement: Statement) -> Rate:
    """How many rows of (r, d) labels have the whole consequent."""
    hits = matching(read, session.approach.nodes, statement.consequent)
    return Rate(int(hits.sum()), len(hits))


def _unreadable(judge: Judge, statement: Statement) -> str:
    """Why the judge cannot tell whether the consequent shows, or ""."""
    return "; ".join(filter(None, map(judge.too_weak, statement.consequent)))


def _nothing(asked: int, lost: str, why: str) -> dict[str, Any]:
    """An answer without units; `lost` is what became of all that were asked."""
    units = {"asked": asked, "unreached": 0, "impossible": 0, "told": why if lost else ""}
    if lost:
        units[lost] = asked
    figures: dict[str, Any] = dict.fromkeys(("seen_before", "q_images", "q_expected", "expected"))
    return {"n": 0, "units": units, **figures, "verdict": NO_VERDICT, "why": why}
