"""Measurement of everything that a suite asks of every approach, as the report's outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..data.images import ImageData, to_unit_interval
from ..errors import ImpossibleWorldError, UnreachedError
from ..randomness import generator_of
from ..runs.directory import views_of
from .approaches import Approach, kind_of
from .associations import associations
from .axioms import axioms
from .flips import picture_name, save_flip
from .graph_fit import graph_fit
from .image_statistics import compare_images, spread_ratio
from .inputs import Inputs
from .interventions import ask_intervention
from .judge import extractor_name, judge_features
from .links import adjust, link_results, no_units
from .photographs import held_out_photographs, measure_photographs
from .queries import ask_query, ask_statement
from .realism import compare_features, frechet_distance
from .session import Group, Part, ResultCache, Session, Settings, conditions, made_together
from .suite import LinkQuestion, Suite

REAL = 2000  # images that realism is measured on
THEMSELVES = "the data themselves"  # beside the runs


@dataclass(frozen=True)
class Evaluation:
    """Inputs, approaches, suite and settings of an evaluation, and the report's folder."""

    inputs: Inputs
    approaches: tuple[Approach, ...]
    suite: Suite
    settings: Settings
    folder: Path


def measure(evaluation: Evaluation, pieces: ResultCache) -> dict[str, Any]:
    """Measure everything and return the measured parts of report.json."""
    outcome: dict[str, Any] = {
        "links": [],
        "queries": [],
        "statements": [],
        "axioms": {},
        "associations": [],
        "realism": {},
        "photographs": {},
    }
    for (section, name), made in made_together(_groups(evaluation), pieces):
        if section == "links":  # of one cause
            outcome[section] += made
        elif section in ("queries", "statements"):
            outcome[section].append(made)
        elif name:
            outcome[section][name] = made
        else:
            outcome[section] = made
    adjust(outcome["links"])
    return outcome


def _groups(evaluation: Evaluation) -> list[Group]:
    """Return all tasks, in the order of the report."""
    suite, m = evaluation.suite, evaluation.inputs
    fit = Part("graph_fit", ("graph fit", m.graph.name), partial(_graph_fit, evaluation))
    causes = _by_cause(suite.questions(m.reference.nodes))
    asked = [group for approach in evaluation.approaches for group in _of_approach(evaluation, approach, causes)]
    runs = list(dict.fromkeys(approach.run for approach in evaluation.approaches)) if suite.realism else []
    kinds, real = [kind_of(m.runs[name]) for name in runs], RealImages(evaluation)
    for kind, name in zip(kinds, runs, strict=True):
        common = kind if kinds.count(kind) == 1 else f"{kind} ({name})"
        asked.append(Group((Part("realism", ("realism", name), partial(_realism, evaluation, real, name), common),)))
    if pairs := _unrelated(evaluation):
        names = ("associations", *pairs)
        asked.append(Group((Part("associations", names, partial(_associations, evaluation, real, pairs)),)))
    if runs:
        itself = Part("realism", ("realism",), partial(_realism, evaluation, real, ""), THEMSELVES)
        asked.append(Group((itself,)))
    asked += _of_photographs(evaluation)
    return [Group((fit,)), *asked]


def _of_photographs(evaluation: Evaluation) -> Iterator[Group]:
    """Yield one task for each run whose photographs are asked about."""
    m, n, seed = evaluation.inputs, evaluation.suite.photographs, evaluation.settings.seed
    names = dict.fromkeys(approach.run for approach in evaluation.approaches) if n else ()
    for name in (name for name in names if not m.runs[name].recipe.partial):
        held_out = m.held_out or m.data

        def make(name: str = name, data: ImageData = held_out) -> dict[str, Any]:
            photographs = held_out_photographs(data, m.reference.nodes, min(n, len(data)), seed)

            def picture(way: str) -> Path:
                return evaluation.folder / picture_name("photographs", name, way)

            found = measure_photographs(m.runs[name], m.judge, photographs, seed, picture)
            return {way: {"from": _source(m), **figures} for way, figures in found.items()}

        yield Group((Part("photographs", ("photographs", name, n), make, name),))


def _by_cause(questions: list[LinkQuestion]) -> list[tuple[LinkQuestion, ...]]:
    """Group the questions that one flip answers."""

    def key(question: LinkQuestion) -> tuple[Any, ...]:
        return conditions(question.given), conditions(question.held), question.link.cause

    return [tuple(group) for _, group in groupby(sorted(questions, key=key), key)]


def _of_approach(
    evaluation: Evaluation, approach: Approach, causes: Sequence[tuple[LinkQuestion, ...]]
) -> Iterator[Group]:
    """Yield the tasks of one approach; axioms share a group with links since both use the flips."""
    suite = evaluation.suite
    session = Session(approach, evaluation.inputs.reference, evaluation.inputs.judge, evaluation.settings)
    key = (approach.name, approach.run, approach.mode, approach.stickiness)
    links, queries = [], []
    for cause in causes:
        names = ("links", *key, *cause, *map(suite.shows, cause))
        links.append(Part("links", names, partial(_links, evaluation, session, cause)))
    for name, query in suite.queries.items():
        names = ("query", name, str(query), suite.faces, *key)
        make = partial(ask_query, evaluation.folder, session, name, query, suite.faces)
        queries.append(Part("queries", names, make))
    for name, intervention in suite.interventions.items():
        names = ("intervention", name, str(intervention), suite.faces, *key)
        do = partial(ask_intervention, evaluation.folder, session, name, intervention, suite.faces)
        queries.append(Part("queries", names, do))
    if suite.axioms:
        axiom = Part("axioms", ("axioms", *key), partial(_axioms, evaluation, session), approach.name)
        yield Group((*links, axiom, *queries), session.forget)
    else:
        yield from (Group((link,), session.forget) for link in links)
        yield Group(tuple(queries), session.forget)
    for name, statement in suite.statements.items():
        names, make = ("statement", name, repr(statement), *key), partial(ask_statement, session, name, statement)
        yield Group((Part("statements", names, make),), session.forget)


def _links(evaluation: Evaluation, session: Session, questions: tuple[LinkQuestion, ...]) -> list[dict[str, Any]]:
    suite, graph, first = evaluation.suite, evaluation.inputs.true_graph, questions[0]
    given, held = conditions(first.given), conditions(first.held)
    try:
        found = session.flip(first.link.cause, given, held)
    except (UnreachedError, ImpossibleWorldError) as error:  # nobody is as given
        return no_units(session, graph, questions, error)
    if suite.axioms and not given and not held:
        session.flipped(first.link.cause)  # while the flip is at hand
    results = link_results(session, graph, found, questions)
    for question, result in zip(questions, results, strict=True):
        if len(found) and suite.shows(question):
            link, name = question.link, session.approach.name
            asked = (link.cause, link.effect, *question.given.items(), *question.held.items())
            result["picture"] = picture_name("faces", name, *asked)
            title = f"{name}, {link}: {result['verdict']}. Above: actual. Below: {link.cause} flipped."
            save_flip(evaluation.folder / result["picture"], found, link.effect, session.approach.nodes, title)
    return results


def _axioms(evaluation: Evaluation, session: Session) -> dict[str, Any]:
    m = evaluation.inputs
    flips = {cause: session.flipped(cause) for cause in m.reference.nodes}
    cells = torch.unique(m.data.select(m.reference.nodes), dim=0)
    return axioms(session.approach, m.judge, m.true_graph, session.worlds()[0], flips, cells, evaluation.settings.seed)


def _graph_fit(evaluation: Evaluation) -> dict[str, Any]:
    graph, draw = evaluation.inputs.graph, generator_of(evaluation.settings.seed, "graph fit")
    return graph_fit(graph, evaluation.inputs.data.select(graph.nodes), draw).to_dict()


def _unrelated(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return the pairs asked under do whose effect does not descend from the cause: the reference is 0."""
    graph, nodes = evaluation.inputs.true_graph, evaluation.inputs.reference.nodes
    if all(approach.mode != "do" for approach in evaluation.approaches):
        return []
    asked = [one.link for one in evaluation.suite.questions(nodes) if not one.given and not one.held]
    return [(link.cause, link.effect) for link in asked if link.effect not in graph.descendants(link.cause)]


def _associations(evaluation: Evaluation, real: RealImages, pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    m, nodes = evaluation.inputs, evaluation.inputs.reference.nodes
    labels, seen = real.held_out.select(nodes)[real.rows[0]], m.judge.above_base_rates(real.probabilities)
    found = associations(labels, seen, nodes, pairs, generator_of(evaluation.settings.seed, "associations"))
    return [{**one, "from": _source(m), "n": len(real)} for one in found]


class RealImages:
    """Held-out images and as many of the data, with what judge and features see in them; read once for all runs."""

    def __init__(self, evaluation: Evaluation) -> None:
        m = evaluation.inputs
        self.inputs, self.held_out = m, m.held_out or m.data
        self.rows = _two_sides(self.held_out, m.data, generator_of(evaluation.settings.seed, "real images"))
        self.readers = {"judge": m.judge.classifier} | ({} if m.features is None else {"features": m.features})

    def __len__(self) -> int:
        return len(self.rows[0])

    def images(self) -> tuple[Tensor, Tensor]:
        """Return the (n, 3, h, w) held-out images in [0, 1], and those of the data."""
        theirs, own = self.rows
        return to_unit_interval(self.held_out.batch(theirs)), to_unit_interval(self.inputs.data.batch(own))

    @cached_property
    def features(self) -> dict[str, tuple[Tensor, Tensor]]:
        others, of_data = self.images()
        return {name: (judge_features(c, others), judge_features(c, of_data)) for name, c in self.readers.items()}

    @cached_property
    def probabilities(self) -> Tensor:
        return self.inputs.judge.probabilities(self.images()[0])

    @property
    def facts(self) -> Tensor:
        return (self.probabilities > 0.5).to(torch.int8)


def _source(inputs: Inputs) -> str:
    return "held-out images" if inputs.held_out else "images trained on"


def _realism(evaluation: Evaluation, real: RealImages, name: str) -> dict[str, Any]:
    """Measure a run's images, or with name "" the data themselves, against n held-out images."""
    m, seed, n = evaluation.inputs, evaluation.settings.seed, len(real)
    found: dict[str, Any] = {"run": name, "n": n, "from": _source(m)}
    found["extractor"] = ", ".join(extractor_name(c).replace("judge", reader) for reader, c in real.readers.items())
    if n < 3:
        return {**found, "FD(judge)": None, "KID(judge)": None, "FD(judge) of the data itself": None}
    others, images = real.images()
    if name:
        asked = next(approach for approach in evaluation.approaches if approach.run == name)
        images = asked.actual(n, {}, generator_of(seed, "realism")).images
    for reader, (of_others, of_data) in real.features.items():
        ours = judge_features(real.readers[reader], images) if name else of_data
        found |= compare_features(ours, of_others, reader)
    found["FD(judge) of the data itself"] = frechet_distance(*reversed(real.features["judge"]))
    found |= compare_images(images, others, generator_of(seed, "image statistics"))
    facts = m.judge.facts(images)
    found["spread within a combination / data"] = spread_ratio(images, facts, others, real.facts)
    return found | (views_of(m.runs[name].folder) if name else {})


def _two_sides(real: ImageData, data: ImageData, draw: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw (n,) rows of real images and (n,) of the data; disjoint halves if both are one set."""
    if real is data:
        order, n = torch.randperm(len(data), generator=draw), min(REAL, len(data) // 2)
        return order[:n], order[n : 2 * n]
    n = min(REAL, len(real), len(data))
    return torch.randperm(len(real), generator=draw)[:n], torch.randperm(len(data), generator=draw)[:n]
