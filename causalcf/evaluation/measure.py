"""Measurement of everything that a suite asks of every approach, as the report's outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from ..data.images import ImageData, to_unit_interval
from ..errors import ImpossibleWorldError, UnreachedError
from ..randomness import generator_of
from .approaches import Approach
from .axioms import axioms
from .contenders import kind_of
from .flips import picture_name, save_flip
from .graph_fit import graph_fit
from .inputs import Inputs
from .judge import extractor_name, judge_features
from .links import Context, adjust, link_results, no_units
from .queries import ask_query, ask_statement
from .realism import frechet_distance, kernel_distance
from .session import Group, Part, ResultCache, Session, Settings, conditions, made_together
from .suite import LinkQuestion, Suite

REAL = 2000  # images that realism is measured on


@dataclass(frozen=True)
class Evaluation:
    """Inputs, approaches, suite and settings of an evaluation, and the report's folder."""

    inputs: Inputs
    approaches: tuple[Approach, ...]
    suite: Suite
    settings: Settings
    folder: Path

    @property
    def context(self) -> Context:
        return Context(self.inputs.true_graph, self.inputs.judge, self.settings)


def measure(evaluation: Evaluation, pieces: ResultCache) -> dict[str, Any]:
    """Measure everything and return the measured parts of report.json."""
    outcome: dict[str, Any] = {"links": [], "queries": [], "statements": [], "axioms": {}, "realism": {}}
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
    causes = list(_by_cause(suite.questions(m.reference.nodes)))
    asked = [group for approach in evaluation.approaches for group in _of_approach(evaluation, approach, causes)]
    runs = list(dict.fromkeys(approach.run for approach in evaluation.approaches)) if suite.realism else []
    kinds = [kind_of(m.runs[name]) for name in runs]
    for kind, name in zip(kinds, runs, strict=True):
        common = kind if kinds.count(kind) == 1 else f"{kind} ({name})"
        asked.append(Group((Part("realism", ("realism", name), partial(_realism, evaluation, name), common),)))
    return [Group((fit,)), *asked]


def _of_approach(
    evaluation: Evaluation, approach: Approach, causes: Sequence[tuple[LinkQuestion, ...]]
) -> Iterator[Group]:
    """Yield the tasks of one approach; axioms share a group with links since both use the flips."""
    suite = evaluation.suite
    session = Session(approach, evaluation.inputs.reference, evaluation.inputs.judge, evaluation.settings)
    key = (approach.name, approach.run, approach.mode, approach.stickiness)
    links, queries, statements = [], [], []
    for cause in causes:
        names = ("links", *key, *cause, *map(suite.shows, cause))
        links.append(Part("links", names, partial(_links, evaluation, session, cause)))
    for name, query in suite.queries.items():
        names = ("query", name, str(query), suite.faces, *key)
        make = partial(ask_query, evaluation.folder, session, name, query, suite.faces)
        queries.append(Part("queries", names, make))
    for name, statement in suite.statements.items():
        names = ("statement", name, repr(statement), *key)
        statements.append(Part("statements", names, partial(ask_statement, session, name, statement)))
    if suite.axioms:
        axiom = Part("axioms", ("axioms", *key), partial(_axioms, evaluation, session), approach.name)
        yield Group((*links, axiom, *queries), session.forget)
    else:
        yield from (Group((link,), session.forget) for link in links)
        yield Group(tuple(queries), session.forget)
    yield from (Group((statement,), session.forget) for statement in statements)


def _by_cause(questions: list[LinkQuestion]) -> Iterator[tuple[LinkQuestion, ...]]:
    """Group the questions that one flip answers."""

    def key(question: LinkQuestion) -> tuple[Any, ...]:
        return conditions(question.given), conditions(question.held), question.link.cause

    for _, group in groupby(sorted(questions, key=key), key):
        yield tuple(group)


def _links(evaluation: Evaluation, session: Session, group: tuple[LinkQuestion, ...]) -> list[dict[str, Any]]:
    first, approach = group[0], session.approach
    given, held = conditions(first.given), conditions(first.held)
    effects = [question.link.effect for question in group]
    try:
        found = session.flip(first.link.cause, given, held)
    except (UnreachedError, ImpossibleWorldError) as error:  # nobody is as given
        return no_units(evaluation.context, approach, first, effects, error)
    if evaluation.suite.axioms and not given and not held:
        session.flipped(first.link.cause)  # while the flip is at hand
    results = link_results(evaluation.context, approach, found, effects, first.given, first.held)
    for question, result in zip(group, results, strict=True):
        if len(found) and evaluation.suite.shows(question):
            result["picture"] = _picture(evaluation, session, found, question, result)
    return results


def _picture(evaluation: Evaluation, session: Session, found: Any, question: LinkQuestion, result: Any) -> str:
    approach, link = session.approach, question.link
    name = picture_name(
        "faces", approach.name, link.cause, link.effect, *question.given.items(), *question.held.items()
    )
    title = f"{approach.name}, {link}: {result['verdict']}. Above: actual. Below: {link.cause} flipped."
    save_flip(evaluation.folder / name, found, link.effect, approach.nodes, title)
    return name


def _axioms(evaluation: Evaluation, session: Session) -> dict[str, Any]:
    m = evaluation.inputs
    flips = {cause: session.flipped(cause) for cause in m.reference.nodes}
    cells = torch.unique(m.data.select(m.reference.nodes), dim=0)
    return axioms(session.approach, m.judge, m.true_graph, session.worlds()[0], flips, cells, evaluation.settings.seed)


def _graph_fit(evaluation: Evaluation) -> dict[str, Any]:
    m = evaluation.inputs
    draw = generator_of(evaluation.settings.seed, "graph fit")
    return graph_fit(m.graph, m.data.select(m.graph.nodes), generator=draw).to_dict()


def _realism(evaluation: Evaluation, name: str) -> dict[str, Any]:
    """Measure FD and KID of a run's images from n held-out images, and FD of the data itself."""
    m, seed = evaluation.inputs, evaluation.settings.seed
    real = m.held_out or m.data
    theirs, own = _two_sides(real, m.data, generator_of(seed, "real images"))
    n = len(theirs)
    common: dict[str, Any] = {"run": name, "n": n, "from": "held-out images" if m.held_out else "images trained on"}
    common["extractor"] = extractor_name(m.judge.classifier)
    if n < 3:
        return {**common, "FD(judge)": None, "KID(judge)": None, "FD(judge) of the data itself": None}
    asked = next(approach for approach in evaluation.approaches if approach.run == name)
    made = asked.actual(n, {}, generator_of(seed, "realism")).images

    def features(images: torch.Tensor) -> torch.Tensor:
        return judge_features(m.judge.classifier, images)

    of_theirs, of_own = (features(to_unit_interval(d.batch(rows))) for d, rows in ((real, theirs), (m.data, own)))
    ours = features(made)
    return {
        **common,
        "FD(judge)": frechet_distance(ours, of_theirs),
        "KID(judge)": kernel_distance(ours, of_theirs).to_dict(),
        "FD(judge) of the data itself": frechet_distance(of_own, of_theirs),
    }


def _two_sides(real: ImageData, data: ImageData, draw: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw (n,) rows of real images and (n,) of the data; disjoint halves if both are one set."""
    if real is data:
        order, n = torch.randperm(len(data), generator=draw), min(REAL, len(data) // 2)
        return order[:n], order[n : 2 * n]
    n = min(REAL, len(real), len(data))
    return torch.randperm(len(real), generator=draw)[:n], torch.randperm(len(data), generator=draw)[:n]
