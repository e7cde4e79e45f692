"""The stories of Lucas and Kemp (2015), answered by their extended structural model.

    python examples/lucas_kemp_2015.py

Each story is a small causal model, what actually happened, and something that is supposed to have been otherwise. The
table shows the probability that each other variable would then have been 1. "Joint" is the model's definition: facts
and the supposed observation are conditioned on together. "Nested" keeps the facts' verdict on the actual world and
then looks for the observation; it is shown where it gives another answer. "Published" is the prediction that the paper
prints, where it prints one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from causalcf.cli.command import run
from causalcf.esm import DiscreteSCM

FITTED = 0.53  # the stickiness that fitted the paper's participants


@dataclass(frozen=True)
class Story:
    """A causal model, its actual world, and what is supposed to have been otherwise."""

    name: str
    model: DiscreteSCM
    facts: dict[str, int]
    observe: dict[str, int]
    asked: tuple[str, ...]
    published: dict[str, str]  # at the fitted stickiness


@dataclass(frozen=True)
class Answer:
    """One row of the table: P(variable* = 1 | facts, antecedent)."""

    story: str
    facts: dict[str, int]
    antecedent: str
    stickiness: float
    variable: str
    published: str
    joint: float
    nested: float


BACON = DiscreteSCM(
    exogenous={"uB": 0.9, "uS": 0.9, "uN": 0.1},
    equations={
        "B": lambda v: v["uB"],
        "S": lambda v: v["B"] and v["uS"],
        "N": lambda v: v["S"] or v["uN"],
    },
)
BACON_FACTS = {"B": 1, "S": 1, "N": 1}

STORIES = (
    Story(
        "1 A and B independent",
        DiscreteSCM({"A": 0.1, "B": 0.1}, {}),
        facts={"A": 1, "B": 1},
        observe={"A": 0},
        asked=("B",),
        published={"B": ".577"},
    ),
    Story(
        "2 chain A -> B -> C",
        DiscreteSCM(
            {"A": 0.1, "uAB": 0.75, "uBC": 0.75},
            {"B": lambda v: v["A"] and v["uAB"], "C": lambda v: v["B"] and v["uBC"]},
        ),
        facts={"A": 1, "B": 1, "C": 1},
        observe={"B": 0},
        asked=("A", "C"),
        published={"A": ".138", "C": "0"},
    ),
    Story(
        "3 C = A xor B",
        DiscreteSCM({"A": 0.25, "B": 0.1}, {"C": lambda v: v["A"] != v["B"]}),
        facts={"A": 1, "B": 1, "C": 0},
        observe={"A": 0},
        asked=("B", "C"),
        published={"B": ".577", "C": ".577"},
    ),
    Story(
        "4 C = A or B, D = C",
        DiscreteSCM({"A": 0.9, "B": 0.9}, {"C": lambda v: v["A"] or v["B"], "D": lambda v: v["C"]}),
        facts={"A": 0, "B": 0, "C": 0, "D": 0},
        observe={"C": 1},
        asked=("A", "B", "D"),
        published={},
    ),
    Story(
        "5 C = A or (B and uBC), D = C",
        DiscreteSCM(
            {"A": 0.75, "B": 0.75, "uBC": 0.9},
            {"C": lambda v: v["A"] or (v["B"] and v["uBC"]), "D": lambda v: v["C"]},
        ),
        facts={"A": 1, "B": 1, "C": 1, "D": 1},
        observe={"C": 0},
        asked=("A", "B", "D"),
        published={},
    ),
    Story(
        "6 B = A xor uAB, C = B xor uBC",
        DiscreteSCM(
            {"A": 0.25, "uAB": 0.1, "uBC": 0.1},
            {"B": lambda v: v["A"] != v["uAB"], "C": lambda v: v["B"] != v["uBC"]},
        ),
        facts={"A": 0, "B": 0, "C": 1},
        observe={"B": 1},
        asked=("A", "C"),
        published={},
    ),
)


def answers() -> Iterator[Answer]:
    """Every row of the table."""
    for s in (0.0, 0.5, FITTED, 0.9):
        published = ".487" if s == 0.5 else ""
        yield _answer("bacon B -> S -> N", BACON, BACON_FACTS, {"observe": {"S": 0}}, s, "B", published)
    yield _answer("bacon B -> S -> N", BACON, BACON_FACTS, {"do": {"S": 0}}, 0.5, "B", "")
    for story in STORIES:
        for variable in story.asked:
            known = story.published.get(variable, "")
            antecedent = {"observe": story.observe}
            yield _answer(story.name, story.model, story.facts, antecedent, FITTED, variable, known)


def _answer(
    name: str,
    model: DiscreteSCM,
    facts: dict[str, int],
    antecedent: dict[str, dict[str, int]],
    s: float,
    variable: str,
    published: str,
) -> Answer:
    joint, nested = (
        model.counterfactual_probability({variable: 1}, facts, **antecedent, stickiness=s, conditioning=conditioning)
        for conditioning in ("joint", "nested")
    )
    ((verb, values),) = antecedent.items()
    return Answer(name, facts, f"{verb} {_written(values, '*')}", s, variable, published, joint, nested)


def _written(values: dict[str, int], star: str = "") -> str:
    return " ".join(f"{name}{star}={value}" for name, value in values.items())


def main() -> None:
    table = Table(title="Lucas and Kemp (2015): P(variable* = 1 | actual world, antecedent)")
    for title in ("story", "actual world", "antecedent", "s", "variable*"):
        table.add_column(title)
    for title in ("published", "joint", "nested"):
        table.add_column(title, justify="right")
    previous = ""
    for row in answers():
        if row.story != previous:
            table.add_section()
        parted = f"{row.nested:.4f}" if abs(row.nested - row.joint) > 1e-9 else ""
        head = (row.story if row.story != previous else "", _written(row.facts), row.antecedent)
        table.add_row(*head, f"{row.stickiness:g}", f"{row.variable}*", row.published, f"{row.joint:.4f}", parted)
        previous = row.story
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(run(main))
