"""Graphs as DAGitty writes them: `dag { Young -> Bald }`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import GraphError
from .dot import quoted, unquoted
from .graph import CausalGraph

_DAGITTY = re.compile(
    r'(?P<skip>[^\S\n]+|//[^\n]*|#[^\n]*)|(?P<name>"(?:[^"\\]|\\.)*"|[\w.*]+)|(?P<arrow><->|->|<-|--|@-@|@->|<-@)'
    r'|(?P<marks>\[(?:"[^"]*"|[^\]"])*\])|(?P<mark>[{};\n,=])'
)
_ARROWS = {"->", "<-"}


def _dagitty_tokens(text: str) -> Iterator[tuple[str, str, int]]:
    line, end = 1, 0
    while end < len(text):
        match = _DAGITTY.match(text, end)
        if match is None:
            raise GraphError(f"line {line}: {text[end]!r} begins nothing that DAGitty knows")
        if not match["skip"]:
            yield str(match.lastgroup), match[0], line
        line += match[0].count("\n")
        end = match.end()


def read_dagitty(text: str) -> CausalGraph:
    """Parse `dag { A -> B <- {C D}; U [pos="0,1"] }`."""
    tokens = list(_dagitty_tokens(text))
    said_first = [said for _, said, _ in tokens if said != "\n"]
    if said_first[:2] != ["dag", "{"] or said_first[-1] != "}":
        raise GraphError("line 1: expected dag { ... }, as DAGitty writes it")
    parents: dict[str, list[str]] = {}
    start = next(i for i, token in enumerate(tokens) if token[1] == "{") + 1
    left: list[str] = []
    arrow = ""
    i, stop = start, max(i for i, token in enumerate(tokens) if token[1] == "}")
    while i < stop:
        kind, said, line = tokens[i]
        if said == "\n":
            i += 1
        elif said in (";", ","):
            if arrow:
                raise GraphError(f"line {line}: nothing follows {arrow!r}")
            left, i = [], i + 1
        elif kind == "arrow":
            if said not in _ARROWS:
                raise GraphError(f"line {line}: {said!r} has no direction; write -> or <-, or leave the edge out")
            if not left or arrow:
                raise GraphError(f"line {line}: {said!r} stands between no two variables")
            arrow, i = said, i + 1
        elif kind == "marks":
            _check_marks(said, left, line)
            i += 1
        elif kind == "name" and i + 2 < stop and tokens[i + 1][1] == "=" and tokens[i + 2][1].startswith('"'):
            i += 3  # bb="0,0,1,1"
        elif kind == "name" or said == "{":
            group, i = _group(tokens, i, stop)
            for name in group:
                parents.setdefault(name, [])
            if arrow:
                for one in left:
                    for other in group:
                        cause, effect = (one, other) if arrow == "->" else (other, one)
                        parents[effect].append(cause)
            left, arrow = group, ""
        else:
            raise GraphError(f"line {line}: {said!r} is not expected here")
    if arrow:
        raise GraphError(f"line {tokens[stop][2]}: nothing follows {arrow!r}")
    return CausalGraph(parents)


def _group(tokens: list[tuple[str, str, int]], i: int, stop: int) -> tuple[list[str], int]:
    """Return one variable, or those in braces, and the place after them."""
    if tokens[i][0] == "name":
        return [unquoted(tokens[i][1])], i + 1
    names, line = [], tokens[i][2]
    i += 1
    while i < stop and tokens[i][1] != "}":
        kind, said, line = tokens[i]
        if kind == "name":
            names.append(unquoted(said))
        elif said not in ("\n", ";", ","):
            raise GraphError(f"line {line}: {said!r} inside braces, where names are expected")
        i += 1
    if i >= stop or not names:
        raise GraphError(f"line {line}: braces that hold no names, or are not closed")
    return names, i + 1


def _check_marks(said: str, names: list[str], line: int) -> None:
    for part in re.sub(r'"[^"]*"', "", said[1:-1]).split(","):
        key, _, value = (word.strip().lower() for word in part.partition("="))
        if key in ("latent", "l", "u", "unobserved") and value not in ("false", "no", "0"):
            whom = ", ".join(names) or "a variable"
            raise GraphError(f"line {line}: {whom} is latent, but every node must be a label of the data")


def to_dagitty(graph: CausalGraph) -> str:
    lines = [quoted(node) for node in graph.nodes]
    lines += [f"{quoted(parent)} -> {quoted(child)}" for parent, child in graph.edges]
    return "\n".join(["dag {", *lines, "}"]) + "\n"
