"""Tables of strings for links and statements, shown by HTML, Markdown and console."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..suite import VERDICTS
from .links import (
    NOTHING,
    Group,
    Link,
    Outcome,
    anything,
    approaches,
    corrected_of,
    count,
    count_verdicts,
    effect,
    estimate,
    links_of,
    number,
    p_value,
)
from .links import with_interval as both

DIRECTION = (
    "An effect is the mean change of the judge's predictions when the cause goes from 0 to 1. Units whose cause went "
    "from 1 to 0 count with the opposite sign. The rates before and after are over all units, without these signs, so "
    "their difference is not the effect."
)
RELATIONS = {"edge": "cause is a parent", "ancestor": "cause is an ancestor", "none": "no path from cause to effect"}
ASSOCIATIONS = (
    "Real images whose labels are the same but for the cause: how much more often the judge reads the effect with the "
    "cause than without. A generator that draws its data faithfully shows the same, where the reference is 0."
)
MEANING = (
    "q is the share of counterfactual images that show the whole consequent. “Seen before” is the share of actual "
    "images that show it. A statement is true if the whole interval of q satisfies its modal, and false if no part of "
    "the interval does. “q label model” is the label model's probability in the approach's mode and at its stickiness; "
    "under observe it weights people by the probability of the antecedent. “Same faces” is the mean of the label "
    "model's probabilities for the measured faces, with equal weights. “Label model” says whether this mean satisfies "
    "the modal. This is the verdict to expect."
)
HEADS = ["approach", "q in images [interval]", "seen before", "q label model", "same faces", "label model", "verdict"]


@dataclass(frozen=True)
class Table:
    """Table of strings; anchors link rows to places in the page, prose allows line breaks."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    anchors: Sequence[str] = ()
    prose: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.heads):
                raise ValueError(f"table {self.title!r}: a row of {len(row)} cells under {len(self.heads)} heads")

    def __bool__(self) -> bool:
        return bool(self.rows)


def verdict_table(groups: tuple[Group, ...]) -> Table:
    """Build one row per link and approach: the verdict and the figures behind it."""
    heads = ["link", "approach", "verdict", "effect [interval]", "reference effect", "link error [interval]"]
    rows, anchors = [], []
    for group in groups:
        for link in group.links:
            row = [group.name, link["approach"], link["verdict"], _effect(link), effect(link["reference"])]
            rows.append([*row, both(link["link_error"], link["link_error_interval"], ".3f")])
            anchors.append(group.anchor)
    return Table("Every link and approach", heads, rows, anchors)


def counts_table(outcome: Outcome) -> Table:
    """Count each verdict, one row per approach."""
    columns, rows = list(count_verdicts(outcome["links"])), []
    for name in approaches(outcome):
        found = count_verdicts(links_of(outcome, name))
        rows.append([name, *(str(found.get(verdict, 0)) for verdict in columns), str(sum(found.values()))])
    return Table("Verdicts, counted", ["approach", *columns, "links"], rows)


def matrix_table(outcome: Outcome, groups: tuple[Group, ...]) -> Table:
    """Build the verdicts of all links (rows) and approaches (columns)."""
    names = approaches(outcome)
    rows = []
    for group in groups:
        found = {link["approach"]: link["verdict"] for link in reversed(group.links)}
        rows.append([group.name, *(found.get(name, NOTHING) for name in names)])
    return Table("Verdicts, link by link", ["link", *names], rows, [group.anchor for group in groups])


def link_table(group: Group) -> Table:
    """Build the reference rows first, then each approach: rates, effect, error, leak, verdict."""
    heads = ["approach", f"P({group.effect} | factual)", f"P({group.effect} | counterfactual)"]
    heads += ["effect [interval]", "reference effect", "link error", "leak", "verdict"]
    rows = [*_reference_rows(group)]
    for link in group.links:
        rates = [number((link[which] or {}).get("value")) for which in ("p_factual", "p_counterfactual")]
        figures = [_effect(link), effect(link["reference"]), number(link["link_error"]), effect(link["leak"])]
        rows.append([link["approach"], *rates, *figures, link["verdict"]])
    return Table(group.name, heads, rows)


def detail_table(group: Group) -> Table:
    """Build all figures of a link: one row per figure, one column per approach."""
    details: dict[str, Callable[[Link], str]] = {
        "verdict": lambda link: link["verdict"],
        f"P({group.effect} | factual)": lambda link: estimate(link["p_factual"]),
        f"P({group.effect} | counterfactual)": lambda link: estimate(link["p_counterfactual"]),
        "the same, reference": lambda link: number(link["p_reference"]),
        "effect": _effect,
        "interval by": lambda link: anything(link["interval_method"]),
        "reference effect": lambda link: effect(link["reference"]),
        "link error": lambda link: both(link["link_error"], link["link_error_interval"], ".3f"),
        "leak": lambda link: both(link["leak"], link["leak_interval"]),
        "half width": lambda link: number(link["half_width"]),
        "p, no effect": lambda link: p_value(link["p_value"]),
        "p (Holm)": lambda link: p_value(link["p_holm"]),
        "judge-corrected effect": _corrected,
        "judge-corrected verdict": lambda link: anything(corrected_of(link)["verdict"]),
        "units": lambda link: count(link["n"]),
        "mode": lambda link: link["mode"],
        "stickiness": lambda link: anything(link["stickiness"]),
        "in the graph": lambda link: RELATIONS[link["relation"]],
    }
    rows = [[text, *map(show, group.links)] for text, show in details.items()]
    return Table(f"{group.name}: all figures", ["", *(link["approach"] for link in group.links)], rows)


def associations_table(outcome: Outcome) -> Table | None:
    """Build one row per pair with reference 0, the strongest first; None if none was measured."""
    found = sorted(outcome.get("associations", ()), key=lambda one: -abs(one["value"]))
    if not found:
        return None
    title = f"The data themselves, {count(found[0]['n'])} {found[0]['from']}"
    return Table(title, ["pair", "difference"], [[f"{one['cause']}->{one['effect']}", estimate(one)] for one in found])


def flat_table(groups: tuple[Group, ...]) -> Table:
    """Build one wide row per link and approach, for many links."""
    heads = ["link", "approach", "n", "effect [interval]", "reference effect", "link error", "leak", "p (Holm)"]
    heads += ["verdict", "corrected effect [interval]", "corrected verdict"]
    rows = []
    for group in groups:
        for link in group.links:
            row = [group.name, link["approach"], count(link["n"]), _effect(link), effect(link["reference"])]
            row += [number(link["link_error"]), effect(link["leak"]), p_value(link["p_holm"]), link["verdict"]]
            rows.append([*row, _corrected(link), anything(corrected_of(link)["verdict"])])
    return Table("All links", heads, rows)


def meanings_table() -> Table:
    return Table("What the verdicts mean", ["verdict", "meaning"], list(VERDICTS.items()), prose=True)


def silent(groups: tuple[Group, ...]) -> list[str]:
    """Return why links have no verdict, one line each."""
    return [f"{g.name}, {link['approach']}: {link['why']}" for g in groups for link in g.links if link["why"]]


def units_line(link: Link) -> str:
    """Return how many units an answer is based on, and what happened to the others."""
    units = link["units"]
    why = f": {units['told'].rstrip('.')}." if units["told"] else "."
    return f"{count(link['n'])} units of {count(units['asked'])} asked for{why}"


def _reference_rows(group: Group) -> list[list[str]]:
    """Build the reference rows: one per mode, or several if approaches had different units."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for link in group.links:
        if link["reference"] is None:
            continue
        text = (link["mode"], number(link["p_reference"]), effect(link["reference"]))
        found.setdefault(text, []).append(link["approach"])
    modes, rows = [mode for mode, _, _ in found], []
    for (mode, rate, strength), names in found.items():
        name = f"reference ({mode})" + (f" for {', '.join(names)}" if modes.count(mode) > 1 else "")
        rows.append([name, NOTHING, rate, strength, strength, NOTHING, NOTHING, NOTHING])
    return rows


def _effect(link: Link) -> str:
    return both(link["effect_estimate"], link["interval"])


def _corrected(link: Link) -> str:
    corrected = corrected_of(link)
    return both(corrected["effect_estimate"], corrected["interval"])


@dataclass(frozen=True)
class StatementGroup:
    """Answers of all approaches, at least one, about one statement."""

    name: str
    sentence: str
    answers: tuple[Mapping[str, Any], ...]

    @property
    def line(self) -> str:
        """The probability that the statement asks for, and its truth in the label model."""
        first = self.answers[0]
        truth, mode = first["truth"], first["statement"]["mode"]
        text = f"Asks for {first['asks']}. By the label model, {mode} at stickiness 1, it is {model_word(truth)}"
        return f"{text}: {truth['reason'].rstrip('.')}."


def statement_groups(outcome: Outcome) -> tuple[StatementGroup, ...]:
    """Group answers by statement, in order of first appearance."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for answer in outcome["statements"]:
        found.setdefault((answer["name"], answer["sentence"]), []).append(answer)
    return tuple(StatementGroup(*key, tuple(answers)) for key, answers in found.items())


def statement_table(group: StatementGroup) -> Table:
    """Build one row per approach: rates in the images, expected rates, verdict."""
    return Table(group.name, HEADS, [[one["approach"], *figures(one)] for one in group.answers])


def statement_counts_table(outcome: Outcome) -> Table:
    """One row for each approach: how often each verdict fell, and how often it is the label model's on these faces."""
    answers: dict[str, list[Mapping[str, Any]]] = {}
    for one in outcome["statements"]:
        answers.setdefault(one["approach"], []).append(one)
    words = ("true", "false", "undecided", "no verdict")
    rows = []
    for name, found in answers.items():
        verdicts = [one["verdict"] for one in found]
        same = sum(one["verdict"] == expected_word(one) for one in found)
        rows.append([name, *(str(verdicts.count(word)) for word in words), str(same), str(len(found))])
    return Table("Statements, counted", ["approach", *words, "as in the label model", "statements"], rows)


def figures(answer: Mapping[str, Any]) -> list[str]:
    """Return the cells of an answer, under `HEADS` without the first."""
    return [
        estimate(answer["q_images"]),
        number((answer["seen_before"] or {}).get("value")),
        number(answer["model"]["probability"], ".4f"),
        number(answer["q_expected"], ".4f"),
        expected_word(answer),
        answer["verdict"],
    ]


def why_lines(group: StatementGroup) -> list[str]:
    """Return why there is no verdict, or which units were dropped."""
    lines = []
    for one in group.answers:
        asked, told = one["units"]["asked"], one["units"]["told"]
        if one["why"]:
            lines.append(f"{one['approach']}: no verdict: {one['why'].rstrip('.')}.")
        elif told:
            lines.append(f"{one['approach']}: {count(one['n'])} units of {count(asked)} asked: {told.rstrip('.')}.")
    return lines


def model_word(truth: Mapping[str, Any]) -> str:
    """Return "true", "false" or "vacuous"."""
    return "vacuous" if truth["vacuous"] else "true" if truth["value"] else "false"


def expected_word(answer: Mapping[str, Any]) -> str:
    """Return the label model's word on the faces asked: "true", "false", "vacuous", or "–" if unknown."""
    if answer["model"]["vacuous"]:
        return "vacuous"
    return {None: NOTHING, True: "true", False: "false"}[answer["expected"]]
