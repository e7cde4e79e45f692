"""The report as one list of sections, for HTML and Markdown; the terminal shows a digest of the same tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from . import measures, tables
from .links import FEW, Group, Link, Outcome, effect, interval
from .plots import Figures
from .summary import limits
from .tables import Table


@dataclass(frozen=True)
class Note:
    """Explanation beside the figures, less prominent than text."""

    text: str


@dataclass(frozen=True)
class Lines:
    """Bullet list."""

    lines: tuple[str, ...]
    warning: bool = False


@dataclass(frozen=True)
class Code:
    """Text to be copied as it is."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A plot of the report, or a picture of faces made by the evaluation, with the text that stands for it."""

    file: str
    text: str
    faces: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Section:
    """A title and its blocks in order; what is folded is shown on demand, and in Markdown by its faces alone."""

    title: str
    blocks: tuple[Block, ...]
    anchor: str = ""
    verdicts: tuple[str, ...] = ()
    folded: bool = False
    only: str = ""


Block: TypeAlias = "str | Note | Lines | Code | Picture | Table | Section"


def report_sections(outcome: Outcome, groups: tuple[Group, ...], figures: Figures) -> list[Section]:
    """Return the sections of a report that have something to show."""
    few = len(groups) <= FEW
    found = [
        _section("Verdicts", "verdicts", _verdicts(outcome, groups, figures, few) if groups else ()),
        _section("Links", "links", _links(outcome, groups, figures, few) if groups else ()),
        _section("Statements", "statements", _statements(outcome)),
        _section("Judge", "judge", _judge(outcome)),
        _section("Graph", "graph", _graph(outcome)),
        _section("Axioms", "axioms", [measures.axioms_table(outcome)]),
        _section("Realism", "realism", [measures.realism_table(outcome)]),
        _section("Questions", "questions", [_question(query) for query in outcome["queries"]]),
        _section("Limits", "limits", [Lines(tuple(limits(outcome)))]),
        _section("Provenance", "provenance", _provenance(outcome)),
    ]
    return [section for section in found if section.blocks]


def _section(title: str, anchor: str, blocks: Iterable[Block]) -> Section:
    return Section(title, tuple(block for block in blocks if _holds(block)), anchor)


def _holds(block: Block) -> bool:
    return bool(block.lines if isinstance(block, Lines) else block)


def _verdicts(outcome: Outcome, groups: tuple[Group, ...], figures: Figures, few: bool) -> Iterable[Block]:
    if few:
        yield tables.verdict_table(groups)
        yield Lines(tuple(tables.silent(groups)))
    else:
        yield tables.counts_table(outcome)
        matrix = tables.matrix_table(outcome, groups)
        yield Section(matrix.title, (matrix,), folded=True, only="html")
    yield Note(outcome["settings"]["told"])
    margin = f"The margin is {outcome['settings']['margin']}."
    yield Section("What the verdicts mean", (margin, tables.meanings_table()), folded=True, only="html")
    for name, file in figures.heat_maps.items():
        text = (
            "Heat maps of the effect of each attribute (rows) on each other (columns): the reference on the left, "
            f"{name} on the right. The figures are in the section Links."
        )
        yield Section(f"All pairs: {name}", (Picture(file, text, wide=True),))


def _links(outcome: Outcome, groups: tuple[Group, ...], figures: Figures, few: bool) -> Iterable[Block]:
    yield Note(tables.DIRECTION)
    if not few:
        names = ", ".join(one["name"] for one in outcome["approaches"])
        yield Section("Every link and approach", (tables.flat_table(groups),), only="markdown")
        yield Note(f"Verdicts are in this order: {names}.")
    for group in groups:
        plot = Picture(figures.effects[group.anchor], _effects_in_words(group))
        blocks: tuple[Block, ...] = (plot, *(_answer(group, link) for link in group.links), tables.detail_table(group))
        verdicts = tuple(link["verdict"] for link in group.links) if not few else ()
        yield Section(group.name, blocks, group.anchor, verdicts, folded=not few)


def _answer(group: Group, link: Link) -> Section:
    blocks: list[Block] = [link["sentence"]] if link["sentence"] else []
    blocks += [f"No verdict: {link['why']}."] if link["why"] else []
    blocks.append(Note(tables.units_line(link)))
    if link["picture"]:
        said = link["sentence"] or link["why"]
        text = f"Faces before (above) and after (below), asked of {link['approach']}: {group.name}. {said}"
        blocks.append(Picture(link["picture"], text, faces=True))
    return Section(link["approach"], tuple(blocks), verdicts=(link["verdict"],))


def _effects_in_words(group: Group) -> str:
    """Describe an effect plot, for who cannot see it."""
    texts = [
        f"{link['approach']} {effect(link['effect_estimate'])} {interval(link['interval'])}, "
        f"reference {effect(link['reference'])}: {link['verdict']}"
        for link in group.links
    ]
    return f"Effect of {group.name}. {'; '.join(texts)}."


def _statements(outcome: Outcome) -> Iterable[Block]:
    groups = tables.statement_groups(outcome)
    if groups:
        yield Note(tables.MEANING)
        yield tables.statement_counts_table(outcome)
    for group in groups:
        lines = Lines(tuple(tables.why_lines(group)))
        yield Section(group.name, (group.sentence, Note(group.line), tables.statement_table(group), lines))


def _judge(outcome: Outcome) -> Iterable[Block]:
    judge = outcome["judge"]
    yield f"{judge['name']}, {judge['network']}. {judge['told']}"
    yield Lines(tuple(judge["warnings"]), warning=True)
    yield measures.judge_table(outcome)


def _graph(outcome: Outcome) -> Iterable[Block]:
    if outcome["graph_fit"]:
        yield from (build(outcome) for build in (measures.graph_table, measures.violated_table, measures.missing_table))


def _question(query: Mapping[str, Any]) -> Section:
    blocks: list[Block] = [query["question"], measures.antecedent_line(query)]
    if query["picture"]:
        text = f"Faces before (above) and after (below): {query['question']}"
        blocks.append(Picture(query["picture"], text, faces=True))
    blocks.append(measures.query_table(query))
    return _section(f"{query['name']}, {query['approach']}", "", blocks)


def _provenance(outcome: Outcome) -> Iterable[Block]:
    yield Code(outcome["command"])
    yield measures.approaches_table(outcome)
    yield measures.settings_table(outcome)
    yield measures.provenance_table(outcome)
    yield Section("What the verdicts mean", (tables.meanings_table(),), only="markdown")
