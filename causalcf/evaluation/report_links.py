"""The links of an outcome as a report shows them: one group for each pair of cause and effect, all approaches in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .report_numbers import conditions

Outcome = Mapping[str, Any]
Link = Mapping[str, Any]

FEW = 12  # groups that are shown in full; more are folded

# In the order in which they are listed. Source: the definitions of the evaluation.
VERDICTS = {
    "respected": "the effect is within the margin of the reference and, where the reference exceeds the margin, the "
    "interval lies on the reference's side of 0",
    "weak": "on the reference's side of 0, but smaller than the reference by more than the margin",
    "exaggerated": "on the reference's side of 0, but larger than the reference by more than the margin",
    "absent": "the interval holds 0 although the reference exceeds the margin",
    "reversed": "on the other side of 0 than the reference",
    "leaks": "the reference is 0, but the effect exceeds the margin",
    "none": "too few units for a verdict",
    "withheld": "the judge reads this attribute too poorly for a verdict",
}
NO_VERDICT = ("none", "withheld")


@dataclass(frozen=True)
class Group:
    """All answers to one question about a link.

    Args:
        cause, effect: the pair.
        given, held: conditions on the units, and labels held fixed.
        links: one for each approach, in the outcome's order of approaches.
        anchor: its place in the page.
    """

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
    """The links by cause, effect and conditions, in order of first appearance."""
    order = {name: place for place, name in enumerate(approaches(outcome))}
    found: dict[tuple[object, ...], list[Link]] = {}
    for link in outcome["links"]:
        key = (link["cause"], link["effect"], _key(link["given"]), _key(link["held"]))
        found.setdefault(key, []).append(link)
    groups = []
    for number, links in enumerate(found.values(), start=1):
        first, ordered = links[0], sorted(links, key=lambda link: order.get(link["approach"], len(order)))
        told = (first["cause"], first["effect"], first["given"], first["held"])
        groups.append(Group(*told, tuple(ordered), f"link-{number}"))
    return tuple(groups)


def approaches(outcome: Outcome) -> tuple[str, ...]:
    """Names of the approaches."""
    return tuple(approach["name"] for approach in outcome["approaches"])


def asked_labels(outcome: Outcome) -> tuple[str, ...]:
    """The labels that links and statements speak of, in the graph's order; all of them where there are neither."""
    spoken = [{link["cause"], link["effect"], *link["given"], *link["held"]} for link in outcome["links"]]
    for told in outcome.get("statements") or ():
        spoken.append({name for part in ("given", "antecedent", "consequent") for name in told["statement"][part]})
    named = set().union(*spoken)
    return tuple(node for node in outcome["nodes"] if node in named or not named)


def links_of(outcome: Outcome, approach: str) -> tuple[Link, ...]:
    """An approach's links."""
    return tuple(link for link in outcome["links"] if link["approach"] == approach)


def count_verdicts(links: tuple[Link, ...]) -> dict[str, int]:
    """How often each verdict fell, in the order of `VERDICTS`, without those that did not."""
    counts = Counter(link["verdict"] for link in links)
    order = [*VERDICTS, *sorted(set(counts) - set(VERDICTS))]
    return {verdict: counts[verdict] for verdict in order if counts[verdict]}


def cells_of(outcome: Outcome, approach: str) -> dict[tuple[str, str], Link]:
    """(cause, effect) -> an approach's unconditional answer; of several, the first."""
    cells: dict[tuple[str, str], Link] = {}
    for link in links_of(outcome, approach):
        if not link["given"] and not link["held"]:
            cells.setdefault((link["cause"], link["effect"]), link)
    return cells


def mapped_approaches(outcome: Outcome) -> tuple[str, ...]:
    """The approaches that answer for most ordered pairs of nodes, so that a map of them has something to show."""
    nodes, names = outcome["nodes"], approaches(outcome)
    pairs = {(a, b) for a in nodes for b in nodes if a != b}
    return tuple(name for name in names if 2 * len(pairs & set(cells_of(outcome, name))) > len(pairs))


def corrected_of(link: Link) -> Mapping[str, Any]:
    """The judge-corrected part of a link; nulls where there could be none."""
    return link["corrected"] or {"effect_estimate": None, "interval": None, "verdict": None}


def _key(values: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(sorted((name, str(value)) for name, value in values.items()))
