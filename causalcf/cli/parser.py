"""The parser behind every command: a mistake raises the command's own error and names the nearest option."""

from __future__ import annotations

import re
import sys
from argparse import SUPPRESS, RawDescriptionHelpFormatter
from collections.abc import Iterable, Sequence
from dataclasses import Field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar, NoReturn, TypeVar, get_args, get_type_hints

from jsonargparse import ArgumentParser

from ..checks import Options, check_options, with_new_names
from ..errors import CausalCFError, QueryError, nearest, unknown

Chosen = TypeVar("Chosen", bound=Options)
_WORDS = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false"}


class Flags(ArgumentParser):
    """jsonargparse's parser without abbreviations; it raises `refuse` instead of exiting."""

    def __init__(self, *, refuse: type[CausalCFError] = CausalCFError, **options: Any) -> None:
        self._refuse = refuse
        options.setdefault("formatter_class", RawDescriptionHelpFormatter)
        options.setdefault("usage", f"{options.get('prog', 'python')} [options]")
        super().__init__(allow_abbrev=False, default_env=False, **options)

    def add_options(self, options: type[Options]) -> None:
        """Add a flag for each option of a class, in its groups, and hidden flags for old names."""
        types, every = get_type_hints(options), {f.name: f for f in fields(options) if "help" in f.metadata}
        listed = dict(every)
        for title, patterns in {**options._GROUPS, "options": ("*",)}.items():
            names = [name for pattern in patterns for name in listed if fnmatchcase(name, pattern)]
            group = self.add_argument_group(title) if options._GROUPS and names else self
            for name in dict.fromkeys(names):
                _add(group, listed.pop(name), types[name])
        for old, (new, _) in options._RENAMED.items():
            several = {key: form for key, form in every[new].metadata["flag"].items() if key == "nargs"}
            self.add_argument(flag_of(old), type=str if several else Any, default=None, help=SUPPRESS, **several)

    def parse_options(self, options: type[Chosen], arguments: Sequence[str]) -> Chosen:
        """Parse a command line into a class whose options were added; ranges are checked, too."""
        found = vars(self.parse_args(list(arguments)))
        named = named_options(arguments)
        old = {name: found[name] for name in options._RENAMED if name in named}
        values = {**found, **with_new_names(options, old, {**found, **old})}
        parsed = {f.name: values[f.name] for f in fields(options) if "help" in f.metadata}
        for f in fields(options):
            if parse := f.metadata.get("flag", {}).get("parse"):
                parsed[f.name] = parse(parsed[f.name])
        chosen = options(**parsed)
        check_options(chosen)
        return chosen

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        known = {flag: action for flag, action in self._option_string_actions.items() if action.help != SUPPRESS}
        flags = [flag for flag in known if flag.startswith("--") and "." not in flag and "_" not in flag]
        unknown = re.search(r"[Uu]nrecognized arguments: (\S+)", message)
        if unknown:
            raise self._refuse(_unknown("option", unknown.group(1).split("=")[0], flags))
        unknown = re.search(r"Option '(.+)' is not accepted", message)
        if unknown:
            keys = [flag[2:].replace("-", "_") for flag in flags if flag not in ("--help", "--config")]
            raise self._refuse(_unknown("key", unknown.group(1), keys))
        missing = re.search(r"arguments are required: (.+)", message)
        if missing:
            named = [f"--{name}" if f"--{name}" in known else name for name in missing.group(1).split(", ")]
            raise self._refuse(f"{', '.join(named)} must be given")
        raise self._refuse(_plain(message))


class CommandOptions(Options):
    """Base of the options of commands that ask: errors are `QueryError`s and name the flag."""

    _error: ClassVar[type[CausalCFError]] = QueryError

    @classmethod
    def _shown(cls, name: str) -> str:
        return flag_of(name)


def parse_command(
    options: type[Chosen], arguments: Sequence[str] | None, command: str, description: str, epilog: str
) -> Chosen:
    """Parse the command line of `python -m causalcf.<command>`, by default this process's."""
    parser = Flags(refuse=options._error, prog=f"python -m causalcf.{command}", description=description, epilog=epilog)
    parser.add_options(options)
    return parser.parse_options(options, sys.argv[1:] if arguments is None else arguments)


def flag_of(name: str) -> str:
    """Return the flag of an option."""
    return "--" + name.replace("_", "-")


def named_options(arguments: Sequence[str]) -> list[str]:
    """Return the names of the options that a command line sets."""
    flags = [argument for argument in arguments if argument.startswith("--")]
    return [flag[2:].split("=")[0].replace("-", "_") for flag in flags]


def _add(group: Any, one: Field[Any], kind: Any) -> None:
    """Add one option's flag, or its switches of which at most one can be set."""
    form = dict(one.metadata["flag"])
    form.pop("parse", None)
    if "switches" in form:
        switches = group.add_mutually_exclusive_group()
        for flag, (value, text) in form["switches"].items():
            switches.add_argument(flag, action="store_const", const=value, dest=one.name, help=text)
        return
    flags = form.pop("name", flag_of(one.name))
    flags = (flags,) if isinstance(flags, str) else flags
    if flags[0].startswith("-"):
        form["dest"] = one.name
    if "action" not in form:
        form["type"] = kind if form.get("nargs") in (None, "?") else str  # of each of several words
        if flags[0].startswith("-") and not form.get("required"):
            form["default"] = one.default
    if form.get("action") == "append":
        form["default"] = []
    text, choices = one.metadata["help"], [word for part in get_args(kind) for word in get_args(part)]
    if choices:
        form.setdefault("metavar", f"{{{','.join(map(str, choices))}}}")
    if isinstance(one.default, (str, int, float, Path)) and not isinstance(one.default, bool) and flags[0][0] == "-":
        text += f" (default: {one.default})"
    group.add_argument(*flags, help=text.replace("%", "%%"), **form)


def _plain(message: str) -> str:
    """Return jsonargparse's message on one line, without its internals."""
    plain = " ".join(re.sub(r"<class '(\w+)'>", r"\1", message.replace("Parser key", "option")).split())
    wrong = re.search(r'^(option "\w+"): .*?(?:Expected a |Subtypes: \[)(.+?)(?:\. Got|\] .*Given) value: (.*)$', plain)
    if not wrong:
        return plain
    option, types, value = wrong.groups()
    if names := re.findall(r"'([^']+)'", types):
        return unknown(f"value of {option}", value, names)
    words = [_WORDS.get(kind, kind) for kind in types.split(", ") if kind != "NoneType"]
    return f"{option} is {value}; it must be {' or '.join(words)}"


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


def parse_given(texts: Iterable[str]) -> dict[str, int]:
    """Parse all values of --given."""
    return parse_conditions(texts, "--given")
