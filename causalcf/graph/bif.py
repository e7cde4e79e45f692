"""Discrete Bayesian networks in the Interchange Format (BIF) of pgmpy, pyAgrum, bnlearn and GeNIe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from ..errors import GraphError

if TYPE_CHECKING:
    import numpy as np

_PIECE = re.compile(
    r"(?P<skip>\s+|//[^\n]*|/\*.*?\*/)|(?P<text>\"[^\"]*\")|(?P<mark>[{}()\[\];,|])"
    r"|(?P<word>[^\s{}()\[\];,|\"]+)",
    re.DOTALL,
)
_NEAR_ONE = 1e-6  # how far a row's probabilities may be from a sum of 1, as files round them
MAX_CELLS = 2**22  # of one table


@dataclass(frozen=True)
class Variable:
    """A discrete variable: P(state | parents) is `table[states of the parents..., state]`, by number."""

    name: str
    states: tuple[str, ...]
    parents: tuple[str, ...]
    table: np.ndarray


@dataclass
class _Draft:
    states: tuple[str, ...]
    parents: tuple[str, ...] | None = None
    rows: dict[tuple[str, ...], list[float]] | None = None
    line: int = 0


class _Reader:
    """Tokens of a BIF text, with the line of each."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, int]] = []
        line, end = 1, 0
        for match in _PIECE.finditer(text):
            if match.start() != end:
                break
            if not match["skip"]:
                self.tokens.append((match[0], line))
            line += match[0].count("\n")
            end = match.end()
        if end != len(text):
            raise GraphError(f"line {line}: {text[end]!r} begins nothing that BIF knows")
        self.i = 0

    @property
    def line(self) -> int:
        return self.tokens[min(self.i, len(self.tokens) - 1)][1] if self.tokens else 1

    def more(self) -> bool:
        return self.i < len(self.tokens)

    def peek(self) -> str:
        return self.tokens[self.i][0] if self.more() else ""

    def take(self, *wanted: str) -> str:
        found = self.peek()
        if not found or (wanted and found not in wanted):
            shown = " or ".join(map(repr, wanted)) or "more"
            raise GraphError(f"line {self.line}: {found or 'the end'!r} where BIF has {shown}")
        self.i += 1
        return found

    def name(self) -> str:
        found = self.take()
        if len(found) == 1 and found in "{}()[];,|":
            raise GraphError(f"line {self.line}: {found!r} where BIF has a name")
        return found.strip('"')

    def listed(self, until: str) -> list[str]:
        """Names with or without commas, up to a mark."""
        names = []
        while self.peek() != until:
            names.append(self.name())
            if self.peek() == ",":
                self.take()
        self.take(until)
        return names

    def skip_property(self) -> None:
        while self.take() != ";":
            pass


def parse_bif(text: str) -> tuple[str, list[Variable]]:
    """Return the name and the variables of a network, in the order of the file.

    Raises:
        GraphError: no BIF; names the line, and what was expected there.
    """
    reader, drafts, name = _Reader(text), {}, ""
    while reader.more():
        kind = reader.take("network", "variable", "probability")
        if kind == "network":
            name = reader.name() if reader.peek() != "{" else ""
            reader.take("{")
            while reader.peek() == "property":
                reader.skip_property()
            reader.take("}")
        elif kind == "variable":
            line, variable = reader.line, reader.name()
            if variable in drafts:
                raise GraphError(f"line {line}: variable {variable!r} is there twice")
            drafts[variable] = _Draft(_states(reader, variable), line=line)
        else:
            _probability(reader, drafts)
    return name, [_variable(variable, draft, drafts) for variable, draft in drafts.items()]


def _states(reader: _Reader, variable: str) -> tuple[str, ...]:
    reader.take("{")
    states: list[str] = []
    while reader.peek() != "}":
        if reader.take("type", "property") == "property":
            reader.skip_property()
            continue
        reader.take("discrete")
        reader.take("[")
        count = reader.name()
        reader.take("]")
        reader.take("{")
        states = reader.listed("}")
        if reader.peek() == ";":
            reader.take()
        if count != str(len(states)) or len(set(states)) != len(states) or not states:
            raise GraphError(f"line {reader.line}: {variable!r} has {count} states, and lists {', '.join(states)}")
    reader.take("}")
    if not states:
        raise GraphError(f"line {reader.line}: variable {variable!r} has no states")
    return tuple(states)


def _probability(reader: _Reader, drafts: dict[str, _Draft]) -> None:
    line = reader.line
    reader.take("(")
    child, parents = reader.name(), []
    if reader.take("|", ")") == "|":
        parents = reader.listed(")")
    for one in (child, *parents):
        if one not in drafts:
            raise GraphError(f"line {line}: {one!r} is no variable of the file")
    draft = drafts[child]
    if draft.parents is not None:
        raise GraphError(f"line {line}: {child!r} has two tables")
    if len(set(parents)) != len(parents) or child in parents:
        raise GraphError(f"line {line}: the parents of {child!r} are {', '.join(parents)}")
    draft.parents, draft.rows, draft.line = tuple(parents), {}, line
    reader.take("{")
    while reader.peek() != "}":
        start = reader.take("table", "default", "(", "property")
        if start == "property":
            reader.skip_property()
            continue
        if start == "table" and parents:
            raise GraphError(
                f"line {reader.line}: 'table' of {child!r}, which has parents; give a row for each of their states"
            )
        key = tuple(reader.listed(")")) if start == "(" else ("default",) if start == "default" else ()
        row_line = reader.line
        if key in draft.rows:
            raise GraphError(f"line {row_line}: {child!r} has two rows for ({', '.join(key)})")
        draft.rows[key] = _row(reader.listed(";"), row_line, child, len(draft.states))
    reader.take("}")


def _row(words: Sequence[str], line: int, child: str, count: int) -> list[float]:
    try:
        row = [float(word) for word in words]
    except ValueError:
        raise GraphError(f"line {line}: {', '.join(words)} of {child!r} are not all numbers") from None
    sound = len(row) == count and all(0 <= p <= 1 for p in row) and abs(sum(row) - 1) <= _NEAR_ONE
    if not sound:
        raise GraphError(f"line {line}: {', '.join(words)} of {child!r}; expected {count} probabilities with the sum 1")
    return row


def _variable(name: str, draft: _Draft, drafts: dict[str, _Draft]) -> Variable:
    import numpy as np

    if draft.parents is None or draft.rows is None:
        raise GraphError(f"line {draft.line}: variable {name!r} has no table of probabilities")
    above = [drafts[parent].states for parent in draft.parents]
    sizes = [len(states) for states in above]
    if np.prod([*sizes, len(draft.states)], dtype=float) > MAX_CELLS:
        raise GraphError(f"line {draft.line}: the table of {name!r} has more than {MAX_CELLS:,} cells")
    table = np.empty((*sizes, len(draft.states)))
    unused = set(draft.rows)
    for cell, key in zip(np.ndindex(*sizes), product(*above), strict=True):
        row = draft.rows.get(key, draft.rows.get(("default",)) if draft.parents else None)
        if row is None:
            raise GraphError(f"line {draft.line}: {name!r} has no row for ({', '.join(key)})")
        unused.discard(key)
        table[cell] = row
    for key in unused - {("default",)}:
        raise GraphError(f"line {draft.line}: the row ({', '.join(key)}) of {name!r} is of no states of its parents")
    return Variable(name, draft.states, draft.parents, table / table.sum(-1, keepdims=True))


def bif_text(variables: Iterable[Variable], name: str) -> str:
    """Return a network as BIF text; probabilities have all digits.

    Raises:
        GraphError: a name that BIF cannot hold.
    """
    return "\n".join(_lines(list(variables), name)) + "\n"


def _lines(variables: Sequence[Variable], name: str) -> Iterator[str]:
    yield f"network {_word(name or 'unnamed')} {{\n}}"
    for one in variables:
        states = ", ".join(map(_word, one.states))
        yield f"variable {_word(one.name)} {{\n  type discrete [ {len(one.states)} ] {{ {states} }};\n}}"
    states_of = {one.name: one.states for one in variables}
    for one in variables:
        above = f" | {', '.join(map(_word, one.parents))}" if one.parents else ""
        yield f"probability ( {_word(one.name)}{above} ) {{"
        for key in product(*(states_of[parent] for parent in one.parents)):
            cell = tuple(states_of[parent].index(state) for parent, state in zip(one.parents, key, strict=True))
            numbers = ", ".join(repr(float(p)) for p in one.table[cell])
            yield f"  ({', '.join(map(_word, key))}) {numbers};" if key else f"  table {numbers};"
        yield "}"


def _word(name: str) -> str:
    if not re.fullmatch(r'[^\s{}()\[\];,|"/]+', name):
        raise GraphError(f"BIF has no way to write the name {name!r}; rename it without spaces, quotes and brackets")
    return name
