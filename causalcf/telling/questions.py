"""What is asked of a group of counterfactuals: statements about the same people and the same antecedent share one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..graph import CausalGraph
from ..statement import Statement
from ..worlds.query import Query


@dataclass(frozen=True)
class Question:
    """One antecedent, supposed of the units that are as given.

    Args:
        name: of the question.
        query: given, antecedent, mode.
        statements: name -> the statements that are about it; none for a null question, which supposes what holds.
        kept: labels that should be as the label model says whatever the statements: the antecedent itself, which a
            generator could else give up for the consequent's sake, and what does not descend from it; of a null
            question all.
        weight: of keeping them.
    """

    name: str
    query: Query
    statements: Mapping[str, Statement]
    kept: tuple[str, ...]
    weight: float


def questions_of(
    statements: Mapping[str, Statement],
    graph: CausalGraph,
    keep_weight: float,
    null_weight: float,
    mode: str | None = None,
) -> list[Question]:
    """The questions of a list of statements, in their order, then the null questions.

    Args:
        statements: named.
        graph: says what descends from what.
        keep_weight: of labels that do not descend from the antecedent.
        null_weight: of null questions; there are none at 0.
        mode: asked of all; None takes each statement's own. A generator without labels can only be observed.
    """
    about: dict[str, dict[str, Statement]] = {}
    for name, statement in statements.items():
        asked = replace(statement, mode=mode or statement.mode)
        about.setdefault(_key(asked.query), {})[name] = asked
    found = [_question(named, graph, keep_weight) for named in about.values()]
    if null_weight:
        antecedents = {_key(null): null for null in (_null(question.query) for question in found)}
        found += [_null_question(query, graph, null_weight) for query in antecedents.values()]
    return found


def _question(named: dict[str, Statement], graph: CausalGraph, weight: float) -> Question:
    query = next(iter(named.values())).query
    moved = {below for name in query.antecedent for below in graph.descendants(name)} - set(query.antecedent)
    said = {label for statement in named.values() for label in statement.consequent}
    kept = tuple(node for node in graph.nodes if node not in moved | said)
    return Question(" and ".join(named), query, named, kept, weight)


def _null_question(query: Query, graph: CausalGraph, weight: float) -> Question:
    return Question(f"null: {_key(query)}", query, {}, tuple(graph.nodes), weight)


def _null(query: Query) -> Query:
    return Query(query.antecedent, query.antecedent, query.mode)


def _key(query: Query) -> str:
    """The same for the same question, however its conditions are ordered."""
    parts = [
        ", ".join(f"{name}={value}" for name, value in sorted(part.items())) for part in (query.given, query.antecedent)
    ]
    return f"{query.mode} {parts[1]} given {parts[0] or 'nothing'}"
