"""Report as Markdown: the same tables and figures as the HTML page, without folding."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from ...io.text import markdown, plain
from . import sections as section_tables
from . import tables as link_tables
from . import tables as statement_tables
from .links import FEW, Group, Outcome
from .plots import Figures
from .summary import graph_line, judge_line, limits, summary
from .tables import Table, to_markdown


def render_markdown(outcome: Outcome, groups: tuple[Group, ...], figures: Figures) -> str:
    """Render the whole report; plots and pictures are linked relative to it."""
    parts = [
        _head(outcome, groups),
        *(_picture(f"Reference effects and those of {name}", file) for name, file in figures.heat_maps.items()),
        *_links(groups, figures),
        *_statements(outcome),
        *_judge(outcome),
        *_graph(outcome),
        *_measures(outcome),
        *_queries(outcome),
        *_limits(outcome),
        *_origin(outcome),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _head(outcome: Outcome, groups: tuple[Group, ...]) -> str:
    few = len(groups) <= FEW
    tables = [link_tables.verdict_table(groups)] if few else [link_tables.counts_table(outcome)]
    lines = [outcome["data"]["told"], judge_line(outcome), graph_line(outcome), outcome["settings"]["told"]]
    parts = [f"# {markdown(outcome['title'])}", markdown(summary(outcome, groups)), *map(markdown, lines)]
    if groups:
        parts += ["## Verdicts", *map(to_markdown, tables), _list(link_tables.silent(groups))]
    return "\n\n".join(filter(None, parts))


def _links(groups: tuple[Group, ...], figures: Figures) -> Iterator[str]:
    if groups:
        yield "## Links"
        yield link_tables.DIRECTION
    if len(groups) > FEW:
        yield to_markdown(link_tables.flat_table(groups))
    for group in groups:
        few, pictured = len(groups) <= FEW, [link for link in group.links if link["picture"]]
        if not few and not pictured:
            continue
        yield f"### {markdown(group.name)}"
        if few:
            yield _picture(f"Effects, {group.name}", figures.effects[group.anchor])
            yield _list([f"{link['approach']}: {link['sentence'] or link['why']}" for link in group.links])
            yield to_markdown(link_tables.detail_table(group))
        for link in pictured:
            yield _picture(f"Faces, {group.name}, {link['approach']}", link["picture"])


def _statements(outcome: Outcome) -> Iterator[str]:
    groups = statement_tables.statement_groups(outcome)
    if groups:
        yield "## Statements"
        yield statement_tables.MEANING
        yield to_markdown(statement_tables.statement_counts_table(outcome))
    for group in groups:
        yield f"### {markdown(group.name)}"
        yield markdown(group.sentence)
        yield markdown(group.line)
        yield to_markdown(statement_tables.statement_table(group))
        yield _list(statement_tables.why_lines(group))


def _judge(outcome: Outcome) -> Iterator[str]:
    yield "## Judge"
    yield markdown(outcome["judge"]["told"])
    yield _list(outcome["judge"]["warnings"])
    yield to_markdown(section_tables.judge_table(outcome))


def _graph(outcome: Outcome) -> Iterator[str]:
    if outcome["graph_fit"]:
        yield "## Graph"
        builders = (section_tables.graph_table, section_tables.violated_table, section_tables.missing_table)
        yield from _titled(build(outcome) for build in builders)


def _measures(outcome: Outcome) -> Iterator[str]:
    for table in (section_tables.axioms_table(outcome), section_tables.realism_table(outcome)):
        if table:
            yield f"## {markdown(table.title)}"
            yield to_markdown(table)


def _queries(outcome: Outcome) -> Iterator[str]:
    if outcome["queries"]:
        yield "## Questions"
    for query in outcome["queries"]:
        yield f"### {markdown(query['name'])}, {markdown(query['approach'])}"
        yield markdown(query["question"])
        yield markdown(section_tables.antecedent_line(query))
        table = section_tables.query_table(query)
        yield to_markdown(table) if table else ""
        yield _picture(f"Faces, {query['name']}, {query['approach']}", query["picture"]) if query["picture"] else ""


def _limits(outcome: Outcome) -> Iterator[str]:
    yield "## Limits"
    yield _list(limits(outcome))


def _origin(outcome: Outcome) -> Iterator[str]:
    yield "## Provenance"
    yield f"    {plain(outcome['command'])}"
    builders = (section_tables.approaches_table, section_tables.settings_table, section_tables.provenance_table)
    yield from _titled(build(outcome) for build in builders)
    yield from _titled([link_tables.meanings_table()])


def _titled(tables: Iterator[Table] | list[Table]) -> Iterator[str]:
    for table in tables:
        if table:
            yield f"**{markdown(table.title)}**"
            yield to_markdown(table)


def _list(lines: list[str]) -> str:
    return "\n".join(f"- {markdown(line)}" for line in lines)


def _picture(title: str, file: str) -> str:
    brackets = str.maketrans("[]", "()")  # which would end the text
    return f"![{markdown(title.translate(brackets))}]({quote(file)})"
