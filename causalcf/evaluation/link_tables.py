"""Tables of links: verdicts at a glance, and all figures of one link."""

from __future__ import annotations

from collections.abc import Callable

from .report_links import VERDICTS, Group, Link, Outcome, approaches, corrected_of, count_verdicts, links_of
from .report_numbers import NOTHING, anything, count, effect, estimate, number, p_value
from .report_numbers import with_interval as both
from .report_tables import Table

DIRECTION = (
    "An effect is the mean change of what the judge sees, counted as if the cause had been raised. The rates before "
    "and after are over all units: in some the cause was raised, in others lowered; their difference is not the effect."
)
RELATIONS = {"edge": "cause is a parent", "ancestor": "cause is an ancestor", "none": "no path from cause to effect"}


def verdict_table(groups: tuple[Group, ...]) -> Table:
    """One row for each link and approach: the verdict and what it rests on."""
    heads = ["link", "approach", "verdict", "effect [interval]", "reference effect", "link error [interval]"]
    rows, anchors = [], []
    for group in groups:
        for link in group.links:
            error = both(link["link_error"], link["link_error_interval"], ".3f")
            rows.append(
                [group.name, link["approach"], link["verdict"], _effect(link), effect(link["reference"]), error]
            )
            anchors.append(group.anchor)
    return Table("Every link and approach", heads, rows, anchors)


def counts_table(outcome: Outcome) -> Table:
    """How often each verdict fell, approach by approach."""
    counts = {name: count_verdicts(links_of(outcome, name)) for name in approaches(outcome)}
    columns = list(count_verdicts(tuple(outcome["links"])))
    rows = [
        [name, *(str(found.get(v, 0)) for v in columns), str(sum(found.values()))] for name, found in counts.items()
    ]
    return Table("Verdicts, counted", ["approach", *columns, "links"], rows)


def matrix_table(outcome: Outcome, groups: tuple[Group, ...]) -> Table:
    """The verdicts of all links (rows) and approaches (columns)."""
    names = approaches(outcome)
    rows = []
    for group in groups:
        found = {link["approach"]: link["verdict"] for link in reversed(group.links)}
        rows.append([group.name, *(found.get(name, NOTHING) for name in names)])
    return Table("Verdicts, link by link", ["link", *names], rows, [group.anchor for group in groups])


def link_table(group: Group) -> Table:
    """The reference first, then every approach: rates, effect, error, leak, verdict."""
    heads = ["approach", f"P({group.effect} | factual)", f"P({group.effect} | counterfactual)"]
    heads += ["effect [interval]", "reference effect", "link error", "leak", "verdict"]
    rows = [*_reference_rows(group)]
    for link in group.links:
        rates = [number((link[which] or {}).get("value")) for which in ("p_factual", "p_counterfactual")]
        figures = [_effect(link), effect(link["reference"]), number(link["link_error"]), effect(link["leak"])]
        rows.append([link["approach"], *rates, *figures, link["verdict"]])
    return Table(group.name, heads, rows)


def detail_table(group: Group) -> Table:
    """All figures of a link: one row for each, one column for each approach."""
    rows = [[told, *map(show, group.links)] for told, show in _details(group).items()]
    return Table(f"{group.name}: all figures", ["", *(link["approach"] for link in group.links)], rows)


def flat_table(groups: tuple[Group, ...]) -> Table:
    """One long row for each link and approach, for many links."""
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
    """What the verdicts mean."""
    return Table("What the verdicts mean", ["verdict", "meaning"], list(VERDICTS.items()), prose=True)


def silent(groups: tuple[Group, ...]) -> list[str]:
    """Why there is no verdict, where there is none."""
    return [f"{g.name}, {link['approach']}: {link['why']}" for g in groups for link in g.links if link["why"]]


def units_line(link: Link) -> str:
    """How many units an answer rests on, and what became of the others."""
    units = link["units"]
    lost = [f"{count(units[kind])} {kind}" for kind in ("unreached", "impossible") if units[kind]]
    told = units["told"] or "; ".join(lost)
    return f"{count(link['n'])} units of {count(units['asked'])} asked for" + (
        f": {told.rstrip('.')}." if told else "."
    )


def _details(group: Group) -> dict[str, Callable[[Link], str]]:
    return {
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
        "in the graph": lambda link: RELATIONS.get(link["relation"], link["relation"]),
    }


def _reference_rows(group: Group) -> list[list[str]]:
    """What should be: once for each mode, and again only where approaches were asked about other units."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for link in group.links:
        if link["reference"] is None:
            continue
        told = (link["mode"], number(link["p_reference"]), effect(link["reference"]))
        found.setdefault(told, []).append(link["approach"])
    modes = [mode for mode, _, _ in found]
    rows = []
    for (mode, rate, strength), names in found.items():
        name = f"reference ({mode})" if modes.count(mode) == 1 else f"reference ({mode}) for {', '.join(names)}"
        rows.append([name, NOTHING, rate, strength, strength, NOTHING, NOTHING, NOTHING])
    return rows


def _effect(link: Link) -> str:
    return both(link["effect_estimate"], link["interval"])


def _corrected(link: Link) -> str:
    corrected = corrected_of(link)
    return both(corrected["effect_estimate"], corrected["interval"])
