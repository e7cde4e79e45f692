"""Summary of an outcome in a few sentences, and the limits of what it shows."""

from __future__ import annotations

from .links import (
    NO_VERDICT,
    Group,
    Link,
    Outcome,
    approaches,
    asked_labels,
    count,
    count_verdicts,
    effect,
    interval,
    links_of,
    number,
)
from .tables import statement_counts_table

_FACES = (
    "The faces are drawn by a program whose causal law is known and simple; a verdict about them says nothing of "
    "photographs, and nothing of people."
)
_PHOTOGRAPHS = (
    "The labels are annotators' answers, yes or no, to how a face looks: they are no facts about a person, Male is "
    "nobody's sex or gender, and an effect between labels is not an effect between traits of people."
)
_IDENTIFIED = (
    "Counterfactual images are not identified from data: two generators can have the same distribution of images and "
    "different counterfactuals; the evaluation measures whether counterfactuals show the causal model's labels."
)


def limits(outcome: Outcome) -> list[str]:
    """Return a sentence each on the data, the graph, counterfactuals, the judge, chance, and associations, if any."""
    data = _FACES if outcome["data"]["name"] == "faces" else _PHOTOGRAPHS
    return [data, _graph(outcome), _IDENTIFIED, _judge(outcome), _chance(outcome), *_associations(outcome)]


def _graph(outcome: Outcome) -> str:
    if outcome["data"]["reference"] == "truth":
        return "The reference is the law that the faces were drawn by; verdicts are about this law and graph alone."
    text = "The causal graph is an assumption, and every reference effect is exact under it alone"
    fit = outcome["graph_fit"]
    if not fit:
        return f"{text}; how well it fits the data was not measured here."
    return (
        f"{text}; its best fit misses the data by a total variation distance of {number(fit['tvd'])}, of which "
        f"{number(fit['tvd_by_chance'])} is to be expected by chance."
    )


def _judge(outcome: Outcome) -> str:
    judge = outcome["judge"]
    text = "The labels of images are predictions of the judge, which learned from real images and misreads some labels"
    withheld = [name for name, scores in judge["attributes"].items() if scores["withheld"]]
    if withheld:
        text += f"; it misreads those of {', '.join(withheld)} too often for a verdict"
    if not judge["independent"]:
        text += "; it is not independent of the runs it judges, and may be deceived by them"
    return text + "."


def _associations(outcome: Outcome) -> list[str]:
    found, margin = outcome.get("associations", ()), outcome["settings"]["margin"]
    beyond = [one for one in found if abs(one["value"]) > margin]
    if not beyond:
        return []
    worst = max(beyond, key=lambda one: abs(one["value"]))
    of = f"{count(len(beyond))} of the {count(len(found))} pairs" if len(found) > 1 else "the one pair"
    return [
        f"The data themselves show an effect of more than {margin} in {of} with reference 0, between real images whose "
        f"other labels are the same ({worst['cause']}->{worst['effect']} {effect(worst['value'])}); a generator that "
        "draws its data faithfully leaks there, too."
    ]


def _chance(outcome: Outcome) -> str:
    runs = len({approach["run"] for approach in outcome["approaches"]})
    return (
        f"The intervals cover the random choice of faces, not the randomness of training: {runs} "
        f"{'run was' if runs == 1 else 'runs were'} asked, and the same recipe with another seed may differ."
    )


def summary(outcome: Outcome, groups: tuple[Group, ...]) -> str:
    """Return the result in one sentence."""
    if len(groups) == 1:
        return f"{groups[0].name}: {'; '.join(map(_found, groups[0].links))}."
    links = tuple(outcome["links"])
    if not links and (rows := statement_counts_table(outcome).rows):
        same = ", ".join(f"{name}: {same} of {n}" for name, *_, same, n in rows)
        return f"Statements whose verdict is the label model's: {same}."
    if not links:
        measured = [
            what for what in ("photographs", "queries", "interventions", "axioms", "realism") if outcome.get(what)
        ]
        return f"No link and no statement was asked. The report has: {', '.join(measured)}."
    respected, judged = _respected(links)
    text = f"{respected} of {judged} verdicts are “respected”, over {len(groups)} links: "
    text += ", ".join("{}: {} of {}".format(name, *_respected(links_of(outcome, name))) for name in approaches(outcome))
    silent = len(links) - judged
    return text + (f"; {silent} {'answer' if silent == 1 else 'answers'} got no verdict." if silent else ".")


def judge_line(outcome: Outcome) -> str:
    """Summarize the judge: its scores on each attribute asked about, and any lack of independence."""
    judge = outcome["judge"]
    asked = {name: judge["attributes"][name] for name in asked_labels(outcome)}
    known = {name: one for name, one in asked.items() if (one["balanced_accuracy"] or {}).get("value") is not None}
    text = f"Judge {judge['name']} ({judge['network']}), scored on {count(judge['n'])} images it never saw: "
    if known:
        scores = [
            f"{name} {number(one['balanced_accuracy']['value'])} ({number((one['accuracy'] or {}).get('value'))})"
            for name, one in known.items()
        ]
        worst = min(known, key=lambda name: [known[name]["balanced_accuracy"][end] for end in ("value", "low")])
        ends = [known[worst]["balanced_accuracy"][end] for end in ("low", "high")]
        text += f"balanced accuracy (and accuracy) {', '.join(scores)}; {worst} is read worst, {interval(ends, '.3f')}"
    else:
        text += "no attribute asked about could be scored"
    withheld = [name for name, scores in asked.items() if scores["withheld"]]
    text += f"; verdicts withheld for {', '.join(withheld)}" if withheld else ""
    text += "" if judge["independent"] else "; NOT independent of the runs it judges"
    return text + "."


def graph_line(outcome: Outcome) -> str:
    """Summarize how well the graph fits the data; "" if that was not measured."""
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
    """Count the verdicts "respected", and all verdicts."""
    counts = count_verdicts(links)
    return counts.get("respected", 0), sum(n for verdict, n in counts.items() if verdict not in NO_VERDICT)
