"""The report of an outcome written to disk: JSON for programs, HTML and Markdown for readers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import CausalCFError, nearest
from ...io.files import clear_leftovers, write_atomically
from ...io.untrusted import read_bounded
from .links import Outcome, group_links
from .plots import draw_figures
from .render import render_html, render_markdown
from .sections import report_sections
from .summary import graph_line, judge_line, summary

_MAX_BYTES = 2**26  # of a picture
_PNG = b"\x89PNG\r\n\x1a\n"


def read_pictures(folder: Path, outcome: Outcome) -> dict[str, bytes]:
    """Return name -> PNG bytes of every picture that links and questions name."""
    return {name: _read(folder, name, owner) for name, owner in _named(outcome)}


def _named(outcome: Outcome) -> Iterator[tuple[str, str]]:
    for link in outcome["links"]:
        if link["picture"]:
            yield link["picture"], f"{link['cause']}->{link['effect']} by {link['approach']}"
    for query in outcome["queries"]:
        if query["picture"]:
            yield query["picture"], f"question {query['name']!r} to {query['approach']}"


def _read(folder: Path, name: str, owner: str) -> bytes:
    if _leads_out(folder, name):
        raise CausalCFError(f"picture {name!r} of {owner} is outside {folder}; allowed: PNG files in that folder")
    try:
        content = read_bounded(folder / name, _MAX_BYTES)
    except OSError:
        there = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.png"))
        close = "".join(f"; did you mean {found!r}?" for found in nearest(name, there, 1))
        raise CausalCFError(f"picture {name!r} of {owner} cannot be read from {folder}{close}") from None
    if not content.startswith(_PNG):
        raise CausalCFError(f"picture {name!r} of {owner} is not a PNG file")
    return content


def _leads_out(folder: Path, name: str) -> bool:
    """Return whether a name is invalid or leads out of the folder, also by a symbolic link."""
    if "\0" in name or Path(name).is_absolute():
        return True
    return not (folder / name).resolve().is_relative_to(folder.resolve())


JSON, MARKDOWN, HTML = "report.json", "report.md", "report.html"


def write_report(folder: Path, outcome: Mapping[str, Any]) -> None:
    """Write report.json, report.md, report.html and the plots; make all before writing any."""
    groups = group_links(outcome)
    written = json.dumps(outcome, allow_nan=False, indent=2)
    faces, figures = read_pictures(folder, outcome), draw_figures(outcome, groups)
    sections = report_sections(outcome, groups, figures)
    head = {
        "summary": summary(outcome, groups),
        "data": outcome["data"]["told"],
        "judge": judge_line(outcome),
        "graph": graph_line(outcome),
    }
    files = {
        **figures.files,
        HTML: render_html(outcome, head, sections, figures.files, faces).encode(),
        MARKDOWN: render_markdown(outcome, head, sections).encode(),
        JSON: written.encode(),
    }
    clear_leftovers(folder)
    for name, content in files.items():
        write_atomically(folder / name, content)
