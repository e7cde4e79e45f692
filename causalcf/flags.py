"""The parser behind every command line: any mistake is the command's own error, and names the nearest option."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn

from jsonargparse import ArgumentParser

from .arguments import SEEDS
from .errors import CausalCFError, nearest


class Flags(ArgumentParser):
    """jsonargparse's parser without abbreviations and environment variables, raising instead of exiting.

    Args:
        refuse: the error that a mistake on the command line raises.
        options: as `jsonargparse.ArgumentParser` takes them.
    """

    def __init__(self, *, refuse: type[CausalCFError] = CausalCFError, **options: Any) -> None:
        self._refuse = refuse
        super().__init__(allow_abbrev=False, default_env=False, **options)

    def parse_checked(
        self, arguments: Sequence[str], least: Mapping[str, int] = MappingProxyType({}), shares: Sequence[str] = ()
    ) -> Any:
        """The options of a command line, those that are set checked.

        Args:
            arguments: as typed.
            least: option -> the least that it may be; whole numbers below 2^32, seeds and counts alike.
            shares: options that must lie in [0, 1].

        Raises:
            CausalCFError: (the parser's own error) a mistake, or a value out of range; names the option.
        """
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
    """jsonargparse's message on one line, without its inner workings."""
    plain = " ".join(re.sub(r"<class '(\w+)'>", r"\1", message.replace("Parser key", "option")).split())
    several = re.search(r'^(option "\w+"): .*Subtypes: \[(.+?)\].*Given value: (.*)$', plain)
    if several:
        option, types, value = several.groups()
        return f"{option}: Expected a {types.replace(', ', ' or ')}. Got value: {value}"
    return plain


def _unknown(what: str, name: str, allowed: Sequence[str]) -> str:
    close = nearest(name, allowed)
    return f"unknown {what} {name}; " + (f"did you mean {close[0]}?" if close else f"there are {', '.join(allowed)}")
