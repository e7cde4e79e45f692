"""What an outcome does not say, in five sentences: of the data, the graph, counterfactuals, the judge, and chance."""

from __future__ import annotations

from .report_links import Outcome
from .report_numbers import number

_FACES = (
    "The faces are drawn by a program whose causal law is known and simple; a verdict about them says nothing of "
    "photographs, and nothing of people."
)
_PHOTOGRAPHS = (
    "Labels of images are what somebody said of how a face looks, yes or no: they are no facts about a person, Male is "
    "nobody's sex or gender, and an effect between labels is none between traits of people."
)
_IDENTIFIED = (
    "Counterfactual images are not identified from data: two generators can agree on every image and differ on every "
    "counterfactual, and what is measured is whether one follows the causal model's labels."
)


def limits(outcome: Outcome) -> list[str]:
    """The sentences, one each on the data, the graph, counterfactuals, the judge, and chance.

    Args:
        outcome: of an evaluation, schema 1.
    """
    data = _FACES if outcome["data"]["name"] == "faces" else _PHOTOGRAPHS
    return [data, _graph(outcome), _IDENTIFIED, _judge(outcome), _chance(outcome)]


def _graph(outcome: Outcome) -> str:
    if outcome["data"]["reference"] == "truth":
        return "The reference is the law that the faces were drawn by; what holds under it holds under no other graph."
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
    text = "What is seen is what the judge sees, on generated images as it learned to on real ones, in which it errs"
    withheld = [name for name, scores in judge["attributes"].items() if scores["withheld"]]
    if withheld:
        text += f"; of {', '.join(withheld)} too often for a verdict"
    if not judge["independent"]:
        text += "; it is not independent of the runs it judges, and may be deceived by them"
    return text + "."


def _chance(outcome: Outcome) -> str:
    runs = len({approach["run"] for approach in outcome["approaches"]})
    return (
        f"Intervals tell of chance among the faces asked, not among trainings: {runs} "
        f"{'run was' if runs == 1 else 'runs were'} asked, and the same recipe with another seed may answer otherwise."
    )
