"""What an evaluation asks: links, and beside them statements, queries, axioms and realism; from flags or from YAML."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import QueryError, unknown
from ..named_list import check_keys
from ..presets import find_preset
from ..statement import Statement
from ..statement_checks import refuse_conflicts
from ..statement_file import load_statements
from ..worlds.query import Query
from ..worlds.query_file import load_queries
from ..yaml_tree import FileKind, read_mapping
from .links import Link, all_links

ALL = "all"
_FILE = FileKind("a suite", "from settings to values", QueryError)
_KEYS = ("name", "half_width", "links", "more", "shown", "queries", "statements", "faces", "axioms", "realism")
_LINK_KEYS = ("link", "given", "held")


@dataclass(frozen=True)
class LinkQuestion:
    """A link, and on whom it is asked.

    Args:
        link: what is flipped, and what is looked at.
        given: labels of the actual faces.
        held: labels supposed in both worlds, so that the link shows with them fixed: explaining away.
    """

    link: Link
    given: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> Hashable:
        """Equal for the same question, however its labels are ordered."""
        return self.link, frozenset(self.given.items()), frozenset(self.held.items())

    def check(self, nodes: Sequence[str]) -> None:
        """Refuse labels that a graph lacks, and a cause that is held.

        Raises:
            QueryError: names the label.
        """
        self.link.check(nodes)
        for what, values in (("given", self.given), ("held", self.held)):
            for name in values:
                if name not in nodes:
                    raise QueryError(f"{self.link}, {what}: " + unknown("label", name, nodes))
        if self.link.cause in self.held:
            raise QueryError(f"{self.link}: {self.link.cause} is flipped and cannot be held")


@dataclass(frozen=True)
class Suite:
    """All that one evaluation asks.

    Args:
        name: of the report.
        links: the questions on links; None asks every ordered pair of the graph's labels.
        more: further questions on links.
        shown: links whose faces are drawn; None draws all.
        queries: questions in English by name.
        faces: how many faces each of them is asked about.
        statements: counterfactual statements by name.
        axioms, realism: whether those are measured.
        half_width: of an effect's interval, that the number of units follows from; None takes the default.
    """

    name: str
    links: tuple[LinkQuestion, ...] | None
    more: tuple[LinkQuestion, ...] = ()
    shown: tuple[Link, ...] | None = None
    queries: Mapping[str, Query] = field(default_factory=dict)
    faces: int = 100
    statements: Mapping[str, Statement] = field(default_factory=dict)
    axioms: bool = False
    realism: bool = False
    half_width: float | None = None

    def questions(self, nodes: Sequence[str]) -> list[LinkQuestion]:
        """The questions on links of a graph with these labels; all else that is asked is checked, too.

        Raises:
            QueryError: a label that the graph lacks.
        """
        asked = [LinkQuestion(link) for link in all_links(nodes)] if self.links is None else list(self.links)
        asked = list({question.key: question for question in (*asked, *self.more)}.values())  # each once
        for question in asked:
            question.check(nodes)
        for link in self.shown or ():
            link.check(nodes)
        for query in self.queries.values():
            query.check(nodes)
        for name, statement in self.statements.items():
            statement.check(nodes, f"{name}: the graph")
        return asked

    def shows(self, question: LinkQuestion) -> bool:
        """Whether the faces of a question are drawn."""
        return self.shown is None or question.link in self.shown


def load_suite(path: str | Path) -> Suite:
    """A suite from a YAML file or a preset's name.

    The file is a mapping: `links` is "all" or a list of links such as "Young->Bald"; `more` a list of mappings with
    `link`, `given` and `held`; `shown` a list of links (left out: all, but of "all" links none); `queries` a file of
    questions and `statements` one of statements, each asked in the approach's own mode; `faces`, `half_width` numbers;
    `axioms`, `realism` true or false.

    Raises:
        QueryError: no such file, not YAML, an unknown key or a value that is none; says where.
    """
    file = find_preset("eval", path, QueryError)
    try:
        tree = read_mapping(file, _FILE)
        check_keys(tree, _KEYS, "the file", QueryError)
        links = tree.get("links", ALL)
        return Suite(
            name=_typed(tree, "name", str, file.stem),
            links=None if links == ALL else tuple(_question(one) for one in _listed("links", links)),
            more=tuple(_question(one) for one in _listed("more", tree.get("more") or [])),
            shown=_shown(tree),
            queries=load_queries(_typed(tree, "queries", str, "")) if tree.get("queries") else {},
            statements=told_statements(_typed(tree, "statements", str, "")) if tree.get("statements") else {},
            faces=_typed(tree, "faces", int, 100),
            axioms=_typed(tree, "axioms", bool, True),
            realism=_typed(tree, "realism", bool, True),
            half_width=check_half_width("half_width", _typed(tree, "half_width", float, None)),
        )
    except QueryError as error:
        raise QueryError(f"{file}: {error}") from None


def told_statements(path: str) -> dict[str, Statement]:
    """The statements of a file or a preset, of which no two conflict.

    Raises:
        StatementError: as `load_statements`; or two that no probability makes true together, named.
    """
    found = load_statements(path)
    refuse_conflicts(found, path)
    return found


def check_half_width(name: str, value: float | None) -> float | None:
    """Itself, if it lies in [.01, 1): less takes more than ten thousand faces for each cause.

    Raises:
        QueryError: names it.
    """
    if value is not None and not 0.01 <= value < 1:
        raise QueryError(f"{name} is {value:g}; it must lie in [.01, 1)")
    return value


def _shown(tree: Mapping[str, Any]) -> tuple[Link, ...] | None:
    if tree.get("shown") is None:
        return () if tree.get("links", ALL) == ALL else None
    return tuple(_question(one).link for one in _listed("shown", tree["shown"]))


def _question(tree: Any) -> LinkQuestion:
    if isinstance(tree, str):
        return LinkQuestion(Link.parse(tree))
    check_keys(tree, _LINK_KEYS, 'a link such as "Young->Bald", or a mapping', QueryError)
    if not isinstance(tree.get("link"), str):
        raise QueryError(f"{tree!r} names no link")
    parts = {what: tree.get(what) or {} for what in ("given", "held")}
    for what, values in parts.items():
        if not isinstance(values, dict) or any(v not in (0, 1) or isinstance(v, bool) for v in values.values()):
            raise QueryError(f"{tree['link']}, {what}: expected labels and 0 or 1, not {values!r}")
    return LinkQuestion(Link.parse(tree["link"]), **parts)


def _listed(key: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise QueryError(f"{key}: expected a list of links, not {value!r}")
    return value


def _typed(tree: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
    value = tree.get(key, default)
    if value is default:
        return default
    right = isinstance(value, (int, float) if kind is float else kind) and isinstance(value, bool) == (kind is bool)
    if not right or (kind is int and value < 1):
        allowed = {str: "text", int: "a whole number from 1", float: "a number", bool: "true or false"}[kind]
        raise QueryError(f"{key}: expected {allowed}, not {value!r}")
    return value
