"""The report of an outcome written to disk: JSON for programs; Markdown, and HTML that opens offline, for readers."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...errors import CausalCFError, nearest
from ...io.files import clear_leftovers, write_atomically
from ...io.text import markdown, markdown_table, plain
from ...io.untrusted import read_bounded
from ..suite import VERDICTS
from .links import Outcome, group_links
from .plots import DPI, draw_figures
from .sections import Block, Code, Lines, Note, Picture, Section, report_sections
from .summary import graph_line, judge_line, summary
from .tables import Table

JSON, MARKDOWN, HTML = "report.json", "report.md", "report.html"
_MAX_BYTES = 2**26  # of a picture
_PNG = b"\x89PNG\r\n\x1a\n"
_TEMPLATES = Path(__file__).parent / "templates"
_CSS_PIXELS = 96  # an inch


def write_report(folder: Path, outcome: Mapping[str, Any]) -> None:
    """Write report.json, report.md, report.html and the plots; make all before writing any."""
    groups, written = group_links(outcome), json.dumps(outcome, allow_nan=False, indent=2)
    faces, figures = _read_pictures(folder, outcome), draw_figures(outcome, groups)
    sections = report_sections(outcome, groups, figures)
    head = {
        "summary": summary(outcome, groups),
        "caveats": " ".join(f"Beware: {text}." for text in outcome["caveats"]),
        "data": outcome["data"]["told"],
        "judge": judge_line(outcome),
        "graph": graph_line(outcome),
    }
    files = {
        **figures.files,
        HTML: _html(outcome, head, sections, figures.files, faces).encode(),
        MARKDOWN: _markdown(outcome, head, sections).encode(),
        JSON: written.encode(),
    }
    clear_leftovers(folder)
    for name, content in files.items():
        write_atomically(folder / name, content)


def _read_pictures(folder: Path, outcome: Outcome) -> dict[str, bytes]:
    """Return name -> PNG bytes of every picture that links and questions name."""
    owners = {link["picture"]: f"{link['cause']}->{link['effect']} by {link['approach']}" for link in outcome["links"]}
    owners |= {one["picture"]: f"question {one['name']!r} to {one['approach']}" for one in outcome["queries"]}
    for run, ways in outcome.get("photographs", {}).items():
        owners |= {found["picture"]: f"photographs of {run}" for found in ways.values() if "picture" in found}
    return {name: _read(folder, name, owner) for name, owner in owners.items() if name}


def _read(folder: Path, name: str, owner: str) -> bytes:
    bad = "\0" in name or Path(name).is_absolute()
    if bad or not (folder / name).resolve().is_relative_to(folder.resolve()):  # also by a symbolic link
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


def _html(
    outcome: Outcome,
    head: Mapping[str, str],
    sections: list[Section],
    plots: Mapping[str, bytes],
    faces: Mapping[str, bytes],
) -> str:
    """Render the whole page; all text of the outcome is escaped."""

    def shown(value: object) -> object:
        return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    def sized(picture: Picture) -> dict[str, Any]:
        content, scale = (faces[picture.file], 1.0) if picture.faces else (plots[picture.file], _CSS_PIXELS / DPI)
        width, height = struct.unpack(">II", content[16:24])  # a PNG begins with its size
        source = "data:image/png;base64," + base64.b64encode(content).decode()
        return {"src": source, "width": round(width * scale), "height": round(height * scale)}

    layout: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "undefined": StrictUndefined}
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, finalize=shown, **layout)
    environment.tests["a"] = lambda block, name: type(block).__name__ == name
    page = environment.get_template("report.html.j2")
    return page.render(outcome=outcome, head=head, sections=sections, verdicts=VERDICTS, sized=sized)


def _markdown(outcome: Outcome, head: Mapping[str, str], sections: list[Section]) -> str:
    """Render the whole report; plots and pictures are linked relative to it."""
    top = [f"# {markdown(outcome['title'])}", *(markdown(line) for line in head.values())]
    parts = [*top, *(part for section in sections for part in _section(section, 2))]
    return "\n\n".join(filter(None, parts)) + "\n"


def _section(section: Section, level: int) -> Iterator[str]:
    if section.only == "html":
        return
    faces = [block for block in _flat(section) if isinstance(block, Picture) and block.faces]
    if section.folded and not faces:
        return
    yield f"{'#' * level} {markdown(section.title)}"
    if section.folded:
        yield from map(_picture, faces)
    else:
        for block in section.blocks:
            yield from _section(block, level + 1) if isinstance(block, Section) else [_block(block, section.title)]


def _flat(section: Section) -> Iterator[Block]:
    for block in section.blocks:
        yield from _flat(block) if isinstance(block, Section) else [block]


def _block(block: Block, title: str) -> str:
    if isinstance(block, Table):
        return (f"**{markdown(block.title)}**\n\n" if block.title != title else "") + markdown_table(
            block.heads, block.rows
        )
    if isinstance(block, Lines):
        return "\n".join(f"- {markdown(line)}" for line in block.lines)
    if isinstance(block, Picture):
        return _picture(block)
    if isinstance(block, Code):
        return f"    {plain(block.text)}"
    return markdown(block.text if isinstance(block, Note) else block)


def _picture(picture: Picture) -> str:
    brackets = str.maketrans("[]", "()")  # which would end the text
    return f"![{markdown(picture.text.translate(brackets))}]({quote(picture.file)})"
