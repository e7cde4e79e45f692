"""Links of an outcome grouped for a report, and the number formats of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from ..suite import VERDICTS

NOTHING = "–"
Outcome = Mapping[str, Any]
Link = Mapping[str, Any]

FEW = 12  # groups that are shown in full; more are folded

NO_VERDICT = ("none", "withheld")


def number(value: float | None, form: str = ".3f") -> str:
    """Format a number; a negative zero loses its sign, None becomes "–"."""
    if value is None:
        return NOTHING
    written = format(value, form)
    return format(0.0, form) if float(written) == 0 and "e" not in written else written


def effect(value: float | None) -> str:
    return number(value, "+.3f")


def interval(ends: Sequence[float | None] | None, form: str = "+.3f") -> str:
    if ends is None or None in ends:
        return NOTHING
    return f"[{number(ends[0], form)}, {number(ends[1], form)}]"


def with_interval(value: float | None, ends: Sequence[float | None] | None, form: str = "+.3f") -> str:
    """Format a number and its interval, if it has one."""
    text = interval(ends, form)
    return number(value, form) if text == NOTHING or value is None else f"{number(value, form)} {text}"


def estimate(found: Mapping[str, Any] | None, form: str = ".3f") -> str:
    """Format a mapping {"value", "low", "high"}."""
    return NOTHING if found is None else with_interval(found["value"], (found["low"], found["high"]), form)


def is_estimate(found: object) -> bool:
    return isinstance(found, Mapping) and {"value", "low", "high"} <= set(found)


def p_value(p: float | None) -> str:
    if p is None:
        return NOTHING
    return "< 1e-300" if p < 1e-300 else f"{p:.2g}"


def count(n: int | None) -> str:
    return NOTHING if n is None else f"{n:,}"


def anything(found: object) -> str:
    """Format a value of any type: four digits for floats, lists and mappings in words."""
    if found is None or found == "":
        return NOTHING
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, float):
        return number(found, ".4g")
    if isinstance(found, Mapping):
        return estimate(found, ".4g") if is_estimate(found) else conditions(found) or NOTHING
    if isinstance(found, (list, tuple)):
        return ", ".join(map(anything, found)) or NOTHING
    return str(found)


def conditions(values: Mapping[str, Any]) -> str:
    """Format labels and values, as in "Male = 1, Young = 0"."""
    return ", ".join(f"{name} = {anything(value)}" for name, value in values.items())


@dataclass(frozen=True)
class Group:
    """Answers of all approaches to one question about a link."""

    cause: str
    effect: str
    given: Mapping[str, Any]
    held: Mapping[str, Any]
    links: tuple[Link, ...]
    anchor: str

    @property
    def name(self) -> str:
        parts = [f"{self.cause} → {self.effect}"]
        parts += [f"given {conditions(self.given)}"] if self.given else []
        parts += [f"{conditions(self.held)} held"] if self.held else []
        return ", ".join(parts)


def group_links(outcome: Outcome) -> tuple[Group, ...]:
    """Group the links by cause, effect and conditions, in order of first appearance."""
    order = approaches(outcome)
    found: dict[tuple[object, ...], list[Link]] = {}
    for link in outcome["links"]:
        key = (link["cause"], link["effect"], *(frozenset(link[which].items()) for which in ("given", "held")))
        found.setdefault(key, []).append(link)
    groups = []
    for number, links in enumerate(found.values(), start=1):
        first, ordered = links[0], sorted(links, key=lambda link: order.index(link["approach"]))
        asked = first["cause"], first["effect"], first["given"], first["held"]
        groups.append(Group(*asked, tuple(ordered), f"link-{number}"))
    return tuple(groups)


def approaches(outcome: Outcome) -> tuple[str, ...]:
    return tuple(approach["name"] for approach in outcome["approaches"])


def asked_labels(outcome: Outcome) -> tuple[str, ...]:
    """Return the labels in links and statements, in the graph's order; all labels if there are none."""
    spoken = [{link["cause"], link["effect"], *link["given"], *link["held"]} for link in outcome["links"]]
    for text in outcome["statements"]:
        spoken.append({name for part in ("given", "antecedent", "consequent") for name in text["statement"][part]})
    named = set().union(*spoken)
    return tuple(node for node in outcome["nodes"] if node in named or not named)


def links_of(outcome: Outcome, approach: str) -> tuple[Link, ...]:
    return tuple(link for link in outcome["links"] if link["approach"] == approach)


def count_verdicts(links: Sequence[Link]) -> dict[str, int]:
    """Count the verdicts, in the order of `VERDICTS`; verdicts that do not occur are left out."""
    counts = Counter(link["verdict"] for link in links)
    order = [*VERDICTS, *sorted(set(counts) - set(VERDICTS))]
    return {verdict: counts[verdict] for verdict in order if counts[verdict]}


def cells_of(outcome: Outcome, approach: str) -> dict[tuple[str, str], Link]:
    """Map (cause, effect) to an approach's unconditional answer, the first if there are several."""
    cells: dict[tuple[str, str], Link] = {}
    for link in links_of(outcome, approach):
        if not link["given"] and not link["held"]:
            cells.setdefault((link["cause"], link["effect"]), link)
    return cells


def mapped_approaches(outcome: Outcome) -> tuple[str, ...]:
    """Return the approaches that answer more than half of the ordered pairs of nodes."""
    pairs = set(permutations(outcome["nodes"], 2))
    return tuple(name for name in approaches(outcome) if 2 * len(pairs & set(cells_of(outcome, name))) > len(pairs))


def corrected_of(link: Link) -> Mapping[str, Any]:
    """Return the judge-corrected part of a link; values are None if there is none."""
    return link["corrected"] or {"effect_estimate": None, "interval": None, "verdict": None}
