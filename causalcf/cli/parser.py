"""The parser behind every command: a mistake raises the command's own error and names the nearest option."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn

from jsonargparse import ArgumentParser

from ..checks import SEEDS
from ..errors import CausalCFError, QueryError, nearest, unknown


class Flags(ArgumentParser):
    """jsonargparse's parser without abbreviations; it raises `refuse` instead of exiting."""

    def __init__(self, *, refuse: type[CausalCFError] = CausalCFError, **options: Any) -> None:
        self._refuse = refuse
        super().__init__(allow_abbrev=False, default_env=False, **options)

    def parse_checked(
        self, arguments: Sequence[str], least: Mapping[str, int] = MappingProxyType({}), shares: Sequence[str] = ()
    ) -> Any:
        """Parse and check options: minima in `least` (all below 2^32), and `shares` in [0, 1]."""
        options = self.parse_args(list(arguments))
        for name in shares:
            if options[name] is not None and not 0 <= options[name] <= 1:
                raise self._refuse(f"--{name.replace('_', '-')} is {options[name]:g}; it must lie in [0, 1]")
        for name, low in least.items():
            if options[name] is not None and not low <= options[name] < SEEDS:
                allowed = f"at least {low}" if options[name] < low else f"in [{low}, 2^32)"
                raise self._refuse(f"--{name.replace('_', '-')} is {options[name]}; it must be {allowed}")
        return options

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        flags = [flag for flag in self._option_string_actions if flag.startswith("--") and "." not in flag]
        unknown = re.search(r"[Uu]nrecognized arguments: (\S+)", message)
        if unknown:
            raise self._refuse(_unknown("option", unknown.group(1).split("=")[0], flags))
        unknown = re.search(r"Option '(.+)' is not accepted", message)
        if unknown:
            keys = [flag[2:].replace("-", "_") for flag in flags]
            raise self._refuse(_unknown("key", unknown.group(1), keys))
        raise self._refuse(_plain(message))


def _plain(message: str) -> str:
    """Return jsonargparse's message on one line, without its internals."""
    plain = " ".join(re.sub(r"<class '(\w+)'>", r"\1", message.replace("Parser key", "option")).split())
    several = re.search(r'^(option "\w+"): .*Subtypes: \[(.+?)\].*Given value: (.*)$', plain)
    if several:
        option, types, value = several.groups()
        return f"{option}: Expected a {types.replace(', ', ' or ')}. Got value: {value}"
    return plain


def _unknown(what: str, name: str, allowed: Sequence[str]) -> str:
    close = nearest(name, allowed)
    return f"unknown {what} {name}; " + (f"did you mean {close[0]}?" if close else f"there are {', '.join(allowed)}")


def parse_conditions(texts: Iterable[str], what: str, names: Sequence[str] | None = None) -> dict[str, int]:
    """Parse texts such as "Male=0,Young=1" into {attribute: 0 or 1}; errors start with the flag `what`."""
    values: dict[str, int] = {}
    texts = list(texts)
    for text in texts:
        if not text.isprintable():
            raise QueryError(f"{what}: {text!r} holds a character that cannot be printed")
    for part in (part.strip() for text in texts for part in text.split(",")):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not name or not equals:
            raise QueryError(f"{what}: {part!r} is no condition; write for example Male=0 or Male=0,Young=1")
        if names is not None and name not in names:
            raise QueryError(f"{what}: " + unknown("attribute", name, names))
        if value not in ("0", "1"):
            raise QueryError(f"{what}: {name}={value}; expected 0 or 1")
        if name in values:
            raise QueryError(f"{what}: {name} is given twice")
        values[name] = int(value)
    return values
