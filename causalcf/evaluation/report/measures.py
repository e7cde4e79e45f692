"""Tables of everything except links: judge, graph, axioms, realism, questions, provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .links import NOTHING, Outcome, anything, count, estimate, is_estimate, number, p_value
from .tables import Table

SCORES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
    "calibration_error": "calibration error",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
}


def judge_table(outcome: Outcome) -> Table:
    """Build the judge's scores by attribute; they limit every other measurement."""
    rows = [
        [name, *(estimate(scores[score]) for score in SCORES), "withheld" if scores["withheld"] else "given"]
        for name, scores in outcome["judge"]["attributes"].items()
    ]
    return Table("Judge", ["attribute", *SCORES.values(), "verdicts"], rows)


def graph_table(outcome: Outcome) -> Table:
    """Build the distances of the fitted joint from the data, beside those expected by chance."""
    fit = outcome["graph_fit"]
    label = {"total variation distance": "tvd", "Kullback-Leibler divergence, nats": "kl"}
    rows = [[name, number(fit[key], ".4f"), number(fit[f"{key}_by_chance"], ".4f")] for name, key in label.items()]
    return Table(f"Graph {fit['graph']}, fitted", ["", "fitted", "by chance alone"], rows)


def violated_table(outcome: Outcome) -> Table:
    """Build the independences that the graph claims and the data contradict, worst first."""
    heads = ["independent by the graph", "given", "mutual information, nats", "difference", "p (Holm)"]
    rows = [
        [
            f"{claim['x']}, {claim['y']}",
            ", ".join(claim["given"]) or "nothing",
            number(claim["mutual_information"], ".4g"),
            number(claim["difference"], ".3g"),
            p_value(claim["p_holm"]),
        ]
        for claim in outcome["graph_fit"]["violated"]
    ]
    return Table("Independences that the data contradict, worst first", heads, rows)


def missing_table(outcome: Outcome) -> Table:
    """Build the edges whose addition improves the fit, best first."""
    heads = ["edge", "gain, nats per unit", "total variation distance after", "BIC"]
    rows = [
        [edge["edge"], number(edge["gain"], ".4g"), number(edge["tvd_after"], ".4f"), number(edge["bic"], ".1f")]
        for edge in outcome["graph_fit"]["missing_edges"]
    ]
    return Table("Edges that the graph lacks, best first", heads, rows)


def approaches_table(outcome: Outcome) -> Table:
    """Build the description of each approach."""
    heads = ["approach", "run", "image model", "statements told", "mode", "stickiness", "images", "how"]
    keys = ("name", "run", "approach", "statements", "mode", "stickiness")
    rows = [
        [*(anything(one[key]) for key in keys), count(one["images"]), anything(one["told"])]
        for one in outcome["approaches"]
    ]
    return Table("Approaches", heads, rows, prose=True)


def axioms_table(outcome: Outcome) -> Table:
    """Build the axioms: one row per measure, one column per approach."""
    by_approach = {name: dict(_flat(measures)) for name, measures in outcome["axioms"].items()}
    measures = dict.fromkeys(name for found in by_approach.values() for name in found)
    rows = [[name, *(found.get(name, NOTHING) for found in by_approach.values())] for name in measures]
    return Table("Axioms of counterfactuals", ["measure", *by_approach], rows)


def realism_table(outcome: Outcome) -> Table:
    """Build the distances from held-out images: one row per measure, one column per image model."""
    models = outcome["realism"]
    measures = dict.fromkeys(name for found in models.values() for name in found)
    rows = [[name, *(anything(found.get(name)) for found in models.values())] for name in measures]
    return Table("Realism", ["measure", *models], rows)


def query_table(query: Mapping[str, Any]) -> Table:
    """Build the judge's label rates before and after a question's antecedent, and those expected."""
    rows = [
        [seen["label"], estimate(seen["before"]), estimate(seen["after"]), number(seen["expected"])]
        for seen in query["seen"] or ()
    ]
    return Table(f"{query['name']}, {query['approach']}", ["label", "before", "after", "expected after"], rows)


def antecedent_line(query: Mapping[str, Any]) -> str:
    """Return how often the antecedent shows afterwards, and the error if there is one."""
    seen = query["antecedent"]
    parts = [f"Antecedent seen afterwards: {estimate(seen)}."] if seen else []
    parts += [f"{query['error'].rstrip('.')}."] if query["error"] else []
    return " ".join(parts)


def settings_table(outcome: Outcome) -> Table:
    """Build the settings: the number of units, the margin and others."""
    settings = outcome["settings"]
    rows = [[name.replace("_", " "), anything(value)] for name, value in settings.items() if name != "told"]
    return Table("Settings", ["setting", "value"], rows)


def provenance_table(outcome: Outcome) -> Table:
    found, apart = outcome["provenance"], ("runs", "fingerprints")
    rows = [[name.replace("_", " "), anything(value)] for name, value in found.items() if name not in apart]
    rows += [[f"run {name}", anything(value)] for name, value in found["runs"].items()]
    known = found["fingerprints"]
    rows += [["judge, fingerprint", known["judge"]]]
    for part, label in (("runs", "run"), ("classifiers", "classifier of run")):
        rows += [[f"{label} {name}, fingerprint", anything(value)] for name, value in known[part].items()]
    return Table("Provenance", ["", "value"], rows, prose=True)


def _flat(measures: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Flatten nested measures to (name, figure); four decimals, since pixel distances are small."""
    for name, found in measures.items():
        full = f"{path}, {name}" if path else name
        if isinstance(found, Mapping) and not is_estimate(found):
            yield from _flat(found, full)
        elif isinstance(found, Mapping):
            yield full, estimate(found, ".4f") + _answered(found, always=name == "flipped")
        else:
            yield full, anything(found)


def _answered(found: Mapping[str, Any], always: bool) -> str:
    """Return how many of the units asked were answered; "" if all were, unless `always`."""
    answered, asked = found.get("answered"), found.get("asked")
    if answered is None or asked is None or (answered == asked and not always):
        return ""
    return f", {count(answered)} of {count(asked)} answered"
