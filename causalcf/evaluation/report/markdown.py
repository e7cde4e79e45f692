"""Report as Markdown: the same sections as the HTML page; what is folded there is left out here, but for its faces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from ...io.text import markdown, plain
from .links import Outcome
from .sections import Block, Code, Lines, Note, Picture, Section
from .tables import Table, to_markdown


def render_markdown(outcome: Outcome, head: Mapping[str, str], sections: list[Section]) -> str:
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
        return (f"**{markdown(block.title)}**\n\n" if block.title != title else "") + to_markdown(block)
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
