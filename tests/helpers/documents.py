"""What the documents tell a reader to type: their commands, their Python and their YAML, taken out of the Markdown."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROGRAMS = ("python", "make", "torchrun")


@dataclass(frozen=True)
class Command:
    """A command as a reader would type it, comments and the prompt left out.

    Args:
        where: the document and the line.
        words: as the shell would split it; a program of .venv/bin goes by its own name, and "..." (more of them) is
            left out.
        block: stands in a block of code, and is to be typed as it is; else in a sentence, which may only name it.
    """

    where: str
    words: tuple[str, ...]
    block: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {shlex.join(self.words)}"


def commands(text: str, name: str = "") -> list[Command]:
    """Every command of a Markdown document, in its order.

    Args:
        text: of the document.
        name: by which it is told where a command stands.
    """
    found = []
    for number, (line, kind) in enumerate(_lines(text), 1):
        where = f"{name}:{number}"
        if kind in ("console", "indented"):
            typed = line.strip().removeprefix("$ ")
            if typed and not typed.startswith("#"):
                found += _command(where, typed, True)
        elif kind == "":
            for quoted in re.findall(r"(?<!`)`([^`]+)`(?!`)", line):
                found += _command(where, quoted, False)
    return found


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def _lines(text: str) -> list[tuple[str, str]]:
    """Each line with what it is: "" for prose, "indented" for code by indentation, or the language of its fence."""
    told, fence, continued = [], "", ""
    for line in text.splitlines():
        if line.startswith("```"):
            fence = "" if fence else line[3:].strip() or "plain"
            told.append((line, "fence"))
            continue
        kind = fence or ("indented" if line.startswith("    ") else "")
        if kind in ("console", "indented") and line.endswith("\\"):
            continued += line[:-1]
            told.append(("", kind))
            continue
        told.append((continued + line, kind))
        continued = ""
    return told


def _command(where: str, typed: str, block: bool) -> list[Command]:
    program = typed.split(maxsplit=1)[0].removeprefix(".venv/bin/")
    if program not in PROGRAMS:
        return []
    words = tuple(word for word in shlex.split(typed, comments=True) if word != "...")
    return [Command(where, (program, *words[1:]), block)] if len(words) > 1 else []
