"""Questions for groups: statements with the same given, antecedent and mode share one question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..graph.graph import CausalGraph
from ..language.query import Query
from ..language.statement import Statement


@dataclass(frozen=True)
class Question:
    """Query with its statements and its fixed labels, which must match the label model."""

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
    """Return the questions of the statements in order, then the null questions."""
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
    """Return a key that does not depend on the order of the conditions."""
    parts = [
        ", ".join(f"{name}={value}" for name, value in sorted(part.items())) for part in (query.given, query.antecedent)
    ]
    return f"{query.mode} {parts[1]} given {parts[0] or 'nothing'}"
