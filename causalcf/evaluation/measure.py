"""Everything that a suite asks of every approach, as the outcome that the report shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from ..data.progress import counting
from ..errors import ImpossibleWorldError, UnreachedError
from ..pictures import to_unit_interval
from ..worlds.run import Run
from .approaches import Approach
from .axioms import axioms
from .features import judge_features
from .graph_fit import graph_fit
from .link_results import Context, adjust, link_results, no_units
from .materials import Materials
from .pairs_picture import save_flip
from .pieces import Pieces
from .queries import ask_query
from .realism import frechet_distance, kernel_distance
from .seeds import generator_of
from .session import Session, conditions
from .settings import Settings
from .suite import LinkQuestion, Suite

REAL = 2000  # images that realism is measured on


@dataclass(frozen=True)
class Evaluation:
    """What is asked of whom, and where the pictures go.

    Args:
        materials: runs, reference, judge.
        approaches: what is compared.
        suite: what is asked.
        settings: how it is measured.
        folder: of the report.
    """

    materials: Materials
    approaches: tuple[Approach, ...]
    suite: Suite
    settings: Settings
    folder: Path

    @property
    def context(self) -> Context:
        return Context(self.materials.graph, self.materials.judge, self.settings)


def measure(evaluation: Evaluation, pieces: Pieces) -> dict[str, Any]:
    """Asks all of it: the parts of report.json that are measured.

    Args:
        evaluation: what to measure.
        pieces: parts that an interrupted evaluation had finished.
    """
    suite, m = evaluation.suite, evaluation.materials
    questions = suite.questions(m.reference.nodes)
    causes = list(_by_cause(questions))
    work = len(evaluation.approaches) * (len(causes) + suite.axioms + len(suite.queries)) + len(m.runs) * suite.realism
    links, told, asked = [], {}, []
    with counting("evaluation", work + 1) as advance:
        fit = pieces.get(lambda: _graph_fit(evaluation), "graph fit", m.graph.name, m.graph.edges)
        advance(1)
        for approach in evaluation.approaches:
            session = Session(approach, m.reference, m.judge, evaluation.settings)
            key = (approach.name, approach.run, approach.mode, approach.stickiness)
            for group in causes:
                links += pieces.get(lambda: _links(evaluation, session, group), "links", *key, *group)  # noqa: B023
                advance(1)
            if suite.axioms:
                told[approach.name] = pieces.get(lambda: _axioms(evaluation, session), "axioms", *key)  # noqa: B023
                advance(1)
            for name in suite.queries:
                part = lambda: ask_query(evaluation.folder, session, name, suite.queries[name], suite.faces)  # noqa
                asked.append(pieces.get(part, "query", name, str(suite.queries[name]), suite.faces, *key))
                advance(1)
        real = {}
        for run in m.runs if suite.realism else ():
            real[run.recipe.approach] = pieces.get(lambda: _realism(evaluation, run), "realism", run.folder.name)  # noqa: B023
            advance(1)
    adjust(links)
    return {"graph_fit": fit, "links": links, "queries": asked, "axioms": told, "realism": real}


def _by_cause(questions: list[LinkQuestion]) -> Iterator[tuple[LinkQuestion, ...]]:
    """Questions that one flip answers, together."""

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
        return no_units(evaluation.context, approach, first, effects, str(error))
    results = link_results(evaluation.context, approach, found, effects, first.given, first.held)
    for question, result in zip(group, results, strict=True):
        if len(found) and evaluation.suite.shows(question):
            result["picture"] = _picture(evaluation, session, found, question, result)
    return results


def _picture(evaluation: Evaluation, session: Session, found: Any, question: LinkQuestion, result: Any) -> str:
    approach, link = session.approach, question.link
    stem = [approach.name, link.cause, link.effect]
    stem += [f"{name}{value}" for values in (question.given, question.held) for name, value in values.items()]
    name = "faces-" + "-".join(stem) + ".png"
    title = f"{approach.name}, {link}: {result['verdict']}. Above: actual. Below: {link.cause} flipped."
    save_flip(evaluation.folder / name, found, link.effect, approach.nodes, title)
    return name


def _axioms(evaluation: Evaluation, session: Session) -> dict[str, Any]:
    m = evaluation.materials
    flips = {cause: session.flip(cause) for cause in m.reference.nodes}
    cells = torch.unique(m.data.select(m.reference.nodes), dim=0)
    return axioms(session.approach, m.judge, m.graph, session.worlds()[0], flips, cells, evaluation.settings.seed)


def _graph_fit(evaluation: Evaluation) -> dict[str, Any]:
    m = evaluation.materials
    draw = generator_of(evaluation.settings.seed, "graph fit")
    return graph_fit(m.graph, m.data.select(m.graph.nodes), generator=draw).to_dict()


def _realism(evaluation: Evaluation, run: Run) -> dict[str, Any]:
    """FD and KID of a run's images from held-out ones, in the judge's features, and FD of the data's own."""
    m, seed = evaluation.materials, evaluation.settings.seed
    real = m.held_out or m.data
    n = min(REAL, len(real), len(m.data))
    asked = next(a for a in evaluation.approaches if a.run == run.folder.name)
    draw = generator_of(seed, "realism")
    made = asked.actual(n, {}, draw).images

    def features(images: torch.Tensor) -> torch.Tensor:
        return judge_features(m.judge.classifier, images)

    def some(data: Any) -> torch.Tensor:
        return to_unit_interval(data.batch(torch.randperm(len(data), generator=draw)[:n]))

    theirs, ours, own = features(some(real)), features(made), features(some(m.data))
    return {
        "run": run.folder.name,
        "n": n,
        "FD(judge)": frechet_distance(ours, theirs),
        "KID(judge)": kernel_distance(ours, theirs).to_dict(),
        "FD(judge) of the data itself": frechet_distance(own, theirs),
    }
