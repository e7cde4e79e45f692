"""Tables of statements: each one's truth in the images of every approach, beside its truth in the label model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .report_links import Outcome
from .report_numbers import NOTHING, count, estimate, number
from .report_tables import Table

MEANING = (
    "q is the share of counterfactual images that show the whole consequent; “seen before” is that of their actual "
    "images. A statement is true, or false, where the whole interval of q satisfies its modal, or none of it does. The "
    "label model is asked in the approach's mode and at its stickiness. Under observe it counts people by how probable "
    "the antecedent is of them; “same faces” is what it says of the faces asked, each counted once, as the images are, "
    "and “label model” whether that makes the statement true: what the verdict should be."
)
HEADS = ["approach", "q in images [interval]", "seen before", "q label model", "same faces", "label model", "verdict"]


@dataclass(frozen=True)
class StatementGroup:
    """All answers about one statement.

    Args:
        name, sentence: of the statement.
        answers: one for each approach, in the outcome's order; of one statement at least.
    """

    name: str
    sentence: str
    answers: tuple[Mapping[str, Any], ...]

    @property
    def line(self) -> str:
        """What the statement asks for, and whether the label model has it so in the statement's own mode."""
        first = self.answers[0]
        truth, mode = first["truth"], first["statement"]["mode"]
        told = f"Asks for {first['asks']}. By the label model, {mode} at stickiness 1, it is {model_word(truth)}"
        return f"{told}: {truth['reason'].rstrip('.')}."


def statement_groups(outcome: Outcome) -> tuple[StatementGroup, ...]:
    """The statements in order of first appearance; none in an outcome from before there were any."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for answer in outcome.get("statements") or ():
        found.setdefault((answer["name"], answer["sentence"]), []).append(answer)
    return tuple(StatementGroup(*key, tuple(answers)) for key, answers in found.items())


def statement_table(group: StatementGroup) -> Table:
    """One row for each approach: what was seen, what should be, the verdict."""
    return Table(group.name, HEADS, [[one["approach"], *figures(one)] for one in group.answers])


def statement_counts_table(outcome: Outcome) -> Table:
    """One row for each approach: how often each verdict fell, and how often it is the label model's on these faces."""
    answers: dict[str, list[Mapping[str, Any]]] = {}
    for one in outcome.get("statements") or ():
        answers.setdefault(one["approach"], []).append(one)
    words = ("true", "false", "undecided", "no verdict")
    rows = []
    for name, found in answers.items():
        verdicts = [one["verdict"] for one in found]
        same = sum(one["verdict"] == expected_word(one) for one in found)
        rows.append([name, *(str(verdicts.count(word)) for word in words), str(same), str(len(found))])
    return Table("Statements, counted", ["approach", *words, "as in the label model", "statements"], rows)


def figures(answer: Mapping[str, Any]) -> list[str]:
    """The cells of an answer, under `HEADS` without the first."""
    return [
        estimate(answer["q_images"]),
        number((answer["seen_before"] or {}).get("value")),
        number(answer["model"]["probability"], ".4f"),
        number(answer["q_expected"], ".4f"),
        expected_word(answer),
        answer["verdict"],
    ]


def why_lines(group: StatementGroup) -> list[str]:
    """Why there is no verdict, and which units were lost, where that is so."""
    lines = []
    for one in group.answers:
        units = one["units"]
        if one["why"]:
            lines.append(f"{one['approach']}: no verdict: {one['why'].rstrip('.')}.")
        elif units["told"]:
            asked = f"{count(one['n'])} units of {count(units['asked'])} asked"
            lines.append(f"{one['approach']}: {asked}: {units['told'].rstrip('.')}.")
    return lines


def model_word(truth: Mapping[str, Any]) -> str:
    """ "true", "false" or "vacuous"."""
    return "vacuous" if truth["vacuous"] else "true" if truth["value"] else "false"


def expected_word(answer: Mapping[str, Any]) -> str:
    """What the label model says of the very faces asked: "true" or "false"; "vacuous"; "–" where none were measured."""
    if answer["model"]["vacuous"]:
        return "vacuous"
    expected = answer.get("expected")  # not in answers that an older version gave
    return NOTHING if expected is None else "true" if expected else "false"
