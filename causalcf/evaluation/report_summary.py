"""An outcome in a few sentences: what was found, how well the judge reads, how well the graph fits."""

from __future__ import annotations

from .report_links import NO_VERDICT, Group, Link, Outcome, approaches, asked_labels, count_verdicts, links_of
from .report_numbers import count, effect, interval, number
from .statement_tables import statement_counts_table, statement_groups


def summary(outcome: Outcome, groups: tuple[Group, ...]) -> str:
    """What was found, in one sentence."""
    if len(groups) == 1:
        return f"{groups[0].name}: {'; '.join(map(_found, groups[0].links))}."
    links = tuple(outcome["links"])
    if not links and statement_groups(outcome):
        return _statements(outcome)
    respected, judged = _respected(links)
    text = f"{respected} of {judged} verdicts are “respected”, over {len(groups)} links: "
    text += ", ".join("{}: {} of {}".format(name, *_respected(links_of(outcome, name))) for name in approaches(outcome))
    silent = len(links) - judged
    return text + (f"; {silent} {'answer' if silent == 1 else 'answers'} got no verdict." if silent else ".")


def judge_line(outcome: Outcome) -> str:
    """The judge's scores in short: how it reads each attribute asked about, and what speaks against it."""
    judge = outcome["judge"]
    asked = {name: judge["attributes"][name] for name in asked_labels(outcome)}
    known = {name: one for name, one in asked.items() if (one["balanced_accuracy"] or {}).get("value") is not None}
    text = f"Judge {judge['name']} ({judge['network']}), scored on {count(judge['n'])} images it never saw: "
    if known:
        text += f"balanced accuracy (and accuracy) {', '.join(_scores(name, one) for name, one in known.items())}"
        worst = min(known, key=lambda name: _rank(known[name]["balanced_accuracy"]))
        text += f"; {worst} is read worst, {interval(_ends(known[worst]['balanced_accuracy']), '.3f')}"
    else:
        text += "no attribute asked about could be scored"
    withheld = [name for name, scores in asked.items() if scores["withheld"]]
    text += f"; verdicts withheld for {', '.join(withheld)}" if withheld else ""
    text += "" if judge["independent"] else "; NOT independent of the runs it judges"
    return text + "."


def _statements(outcome: Outcome) -> str:
    """How many statements have the truth in the images that the label model gives them on the same faces."""
    told = [f"{name}: {same} of {n}" for name, *_, same, n in statement_counts_table(outcome).rows]
    return f"Statements whose verdict is the label model's: {', '.join(told)}."


def _scores(name: str, scores: Outcome) -> str:
    return f"{name} {number(scores['balanced_accuracy']['value'])} ({number((scores['accuracy'] or {}).get('value'))})"


def _ends(found: Outcome) -> tuple[float | None, float | None]:
    return found["low"], found["high"]


def _rank(scores: dict[str, float]) -> tuple[float, float]:
    """Worse first; of equals the one that is known less well."""
    return scores["value"], scores["low"]


def graph_line(outcome: Outcome) -> str:
    """How well the graph fits the data, in short; "" where that was not measured."""
    fit = outcome["graph_fit"]
    if not fit:
        return ""
    text = f"Graph {fit['graph']} on {count(fit['n'])} images: total variation distance {number(fit['tvd'])} "
    text += f"({number(fit['tvd_by_chance'])} by chance alone)"
    if fit["violated"]:
        worst = fit["violated"][0]
        given = f" given {', '.join(worst['given'])}" if worst["given"] else ""
        text += f"; the data contradict “{worst['x']} and {worst['y']} are independent{given}” most"
    if fit["missing_edges"]:
        best = fit["missing_edges"][0]
        text += f"; adding {best['edge']} would help most, to {number(best['tvd_after'])}"
    return text + "."


def _found(link: Link) -> str:
    text = f"{link['approach']}: {link['verdict']}"
    if link["verdict"] in NO_VERDICT:
        return text + (f" ({link['why']})" if link["why"] else "")
    return f"{text}, effect {effect(link['effect_estimate'])} against {effect(link['reference'])}"


def _respected(links: tuple[Link, ...]) -> tuple[int, int]:
    """Verdicts "respected", and verdicts in all."""
    counts = count_verdicts(links)
    return counts.get("respected", 0), sum(n for verdict, n in counts.items() if verdict not in NO_VERDICT)
