"""What a child -> parents listing must satisfy, apart from having no cycle; each with its own sentence."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import GraphError, nearest

_SHOWN = 40  # node names that a sentence can carry


def checked_parents(listing: object) -> dict[str, tuple[str, ...]]:
    """Child -> parents from pairs of a name and a list of names, in order of appearance.

    Raises:
        GraphError: no nodes, a malformed name, a duplicate node or edge, a self-loop, an unknown parent.

    Source: defined here.

    Example:
        >>> checked_parents([("Bald", ["Male"]), ("Male", [])])
        {'Bald': ('Male',), 'Male': ()}
    """
    parents: dict[str, tuple[str, ...]] = {}
    for entry, listed in _pairs(listing):
        child = _checked_name(entry, "node")
        if child in parents:
            raise GraphError(f"duplicate node {child!r}; list each node once, with all its parents")
        parents[child] = _listed_parents(child, listed)
    if not parents:
        raise GraphError("the graph is empty; it needs at least one node")
    for child, above in parents.items():
        for parent in above:
            if parent not in parents:
                raise GraphError(_no_node(parent, child, parents))
    return parents


def check_text(name: object, description: object) -> None:
    """Refuse a graph's name or description that is no text, or a name that is not one printable line.

    Raises:
        GraphError: says which of the two, and what it is.

    Source: defined here.
    """
    _checked_name(name, "graph name")
    if not isinstance(description, str):
        raise GraphError(f"the graph's description must be text, not {description!r}")


def _pairs(listing: object) -> Iterable[tuple[object, object]]:
    if isinstance(listing, str) or not isinstance(listing, Iterable):
        raise GraphError(f"a graph is listed as child: [parents], not as {listing!r}")
    for item in listing:
        if not isinstance(item, (list, tuple)) or len(item) != 2:
            raise GraphError(f"each entry of a graph must be [child, [parents]], not {item!r}")
        yield item[0], item[1]


def _listed_parents(child: str, listed: object) -> tuple[str, ...]:
    # A set is refused: the order of the parents has a meaning. A string would be read letter by letter.
    if not isinstance(listed, (list, tuple)):
        raise GraphError(f"the parents of {child!r} must be a list of names, not {listed!r}")
    seen: set[str] = set()
    for entry in listed:
        parent = _checked_name(entry, f"parent of {child!r}:")
        if parent == child:
            raise GraphError(f"self-loop {child} -> {child}: a node cannot be its own parent")
        if parent in seen:
            raise GraphError(f"duplicate edge {parent} -> {child}; list each parent once")
        seen.add(parent)
    return tuple(listed)


def _checked_name(name: object, what: str) -> str:
    if not isinstance(name, str):
        raise GraphError(f"{what} {name!r} is of type {type(name).__name__}; names must be strings")
    if not name.strip():
        raise GraphError(f"{what} {name!r} is blank; names must have at least one letter")
    if name != name.strip():
        raise GraphError(f"{what} {name!r} has leading or trailing spaces; did you mean {name.strip()!r}?")
    if not name.isprintable():
        raise GraphError(f"{what} {name!r} contains a character that cannot be printed")
    return name


def _no_node(parent: str, child: str, nodes: Iterable[str]) -> str:
    names = list(nodes)
    close = nearest(parent, names)
    hint = f"; did you mean {' or '.join(repr(c) for c in close)}?" if close else "."
    listed = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return f"the parent {parent!r} of {child!r} is no node of the graph{hint} Nodes: {listed}"
