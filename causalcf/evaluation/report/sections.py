"""The report as one list of sections, for HTML and Markdown; the terminal shows a digest of the same tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from . import tables
from .links import (
    FEW,
    NOTHING,
    Group,
    Link,
    Outcome,
    anything,
    count,
    effect,
    estimate,
    interval,
    is_estimate,
    number,
    p_value,
)
from .plots import Figures
from .summary import limits
from .tables import Table

Block: TypeAlias = "str | Note | Lines | Code | Picture | Table | Section"
SCORES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
    "calibration_error": "calibration error",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
}


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


def report_sections(outcome: Outcome, groups: tuple[Group, ...], figures: Figures) -> list[Section]:
    """Return the sections of a report that have something to show."""
    few = len(groups) <= FEW
    found = [
        _section("Verdicts", "verdicts", _verdicts(outcome, groups, figures, few) if groups else ()),
        _section("Links", "links", _links(outcome, groups, figures, few) if groups else ()),
        _section("Statements", "statements", _statements(outcome)),
        _section("Judge", "judge", _judge(outcome)),
        _section("Graph", "graph", _graph(outcome)),
        _section("Axioms", "axioms", [_axioms(outcome)]),
        _section("Realism", "realism", [_realism(outcome)]),
        _section("Photographs", "photographs", _photographs(outcome)),
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
        answers = [_answer(group, link, outcome["caveats"]) for link in group.links]
        blocks: tuple[Block, ...] = (plot, *answers, tables.detail_table(group))
        verdicts = tuple(link["verdict"] for link in group.links) if not few else ()
        yield Section(group.name, blocks, group.anchor, verdicts, folded=not few)
    if associations := tables.associations_table(outcome):
        yield Note(tables.ASSOCIATIONS)
        yield associations


def _answer(group: Group, link: Link, caveats: Sequence[str]) -> Section:
    blocks: list[Block] = [link["sentence"]] if link["sentence"] else []
    blocks += [f"No verdict: {link['why']}."] if link["why"] else []
    blocks.append(Lines(tuple(caveats), warning=True))
    blocks.append(Note(tables.units_line(link)))
    if link["picture"]:
        said = link["sentence"] or link["why"]
        text = f"Faces before (above) and after (below), asked of {link['approach']}: {group.name}. {said}"
        blocks.append(Picture(link["picture"], text, faces=True))
    return Section(link["approach"], tuple(filter(_holds, blocks)), verdicts=(link["verdict"],))


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
        yield Lines(tuple(outcome["caveats"]), warning=True)
        yield Note(tables.MEANING)
        yield tables.statement_counts_table(outcome)
    for group in groups:
        lines = Lines(tuple(tables.why_lines(group)))
        yield Section(group.name, (group.sentence, Note(group.line), tables.statement_table(group), lines))


def _judge(outcome: Outcome) -> Iterable[Block]:
    judge = outcome["judge"]
    yield f"{judge['name']}, {judge['network']}. {judge['told']}"
    yield Lines(tuple(judge["warnings"]), warning=True)
    rows = [
        [name, *(estimate(scores[score]) for score in SCORES), "withheld" if scores["withheld"] else "given"]
        for name, scores in judge["attributes"].items()
    ]
    yield Table("Judge", ["attribute", *SCORES.values(), "verdicts"], rows)


def _graph(outcome: Outcome) -> Iterable[Block]:
    fit = outcome["graph_fit"]
    if not fit:
        return
    names = {"total variation distance": "tvd", "Kullback-Leibler divergence, nats": "kl"}
    rows = [[name, number(fit[key], ".4f"), number(fit[f"{key}_by_chance"], ".4f")] for name, key in names.items()]
    yield Table(f"Graph {fit['graph']}, fitted", ["", "fitted", "by chance alone"], rows)
    heads, rows = ["independent by the graph", "given", "mutual information, nats", "difference", "p (Holm)"], []
    for claim in fit["violated"]:
        row = [f"{claim['x']}, {claim['y']}", ", ".join(claim["given"]) or "nothing"]
        row += [number(claim["mutual_information"], ".4g"), number(claim["difference"], ".3g")]
        rows.append([*row, p_value(claim["p_holm"])])
    yield Table("Independences that the data contradict, worst first", heads, rows)
    heads = ["edge", "gain, nats per unit", "total variation distance after", "BIC"]
    rows = [
        [edge["edge"], number(edge["gain"], ".4g"), number(edge["tvd_after"], ".4f"), number(edge["bic"], ".1f")]
        for edge in fit["missing_edges"]
    ]
    yield Table("Edges that the graph lacks, best first", heads, rows)


def _axioms(outcome: Outcome) -> Table:
    """Build one row per measure, one column per approach."""
    by_approach = {name: dict(_flat(found)) for name, found in outcome["axioms"].items()}
    return _side_by_side("Axioms of counterfactuals", by_approach)


def _realism(outcome: Outcome) -> Table:
    """Build one row per measure, one column per image model."""
    models = outcome["realism"].items()
    return _side_by_side(
        "Realism", {name: {key: anything(one) for key, one in found.items()} for name, found in models}
    )


def _photographs(outcome: Outcome) -> Iterable[Block]:
    """Build a table for each run: one row per measure, one column per way of abduction."""
    for name, ways in outcome.get("photographs", {}).items():
        columns = {
            way: {key: anything(one) for key, one in found.items() if key != "picture"} for way, found in ways.items()
        }
        yield _side_by_side(f"Photographs, by {name}", columns)
        for way, found in ways.items():
            if "picture" in found:
                text = f"Photographs and what {name} draws of them without residual, by {way}: best, middle, worst"
                yield Picture(found["picture"], text, faces=True)


def _side_by_side(title: str, columns: Mapping[str, Mapping[str, str]]) -> Table:
    names = dict.fromkeys(name for found in columns.values() for name in found)
    rows = [[name, *(found.get(name, NOTHING) for found in columns.values())] for name in names]
    return Table(title, ["measure", *columns], rows)


def _flat(measures: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Flatten nested measures to (name, figure); four decimals, since pixel distances are small."""
    for name, found in measures.items():
        full = f"{path}, {name}" if path else name
        if isinstance(found, Mapping) and not is_estimate(found):
            yield from _flat(found, full)
        elif isinstance(found, Mapping):
            answered, asked, text = found.get("answered"), found.get("asked"), ""
            if answered is not None and asked is not None and (answered != asked or name == "flipped"):
                text = f", {count(answered)} of {count(asked)} answered"
            yield full, estimate(found, ".4f") + text
        else:
            yield full, anything(found)


def _question(query: Mapping[str, Any]) -> Section:
    seen = [f"Images that show the antecedent: {estimate(query['antecedent'])}."] if query["antecedent"] else []
    seen += [f"{query['error'].rstrip('.')}."] if query["error"] else []
    blocks: list[Block] = [query["question"], " ".join(seen)]
    if query["picture"]:
        text = f"Faces before (above) and after (below): {query['question']}"
        blocks.append(Picture(query["picture"], text, faces=True))
    rows = [
        [one["label"], estimate(one["before"]), estimate(one["after"]), number(one["expected"])]
        for one in query["seen"]
    ]
    title = f"{query['name']}, {query['approach']}"
    blocks.append(Table(title, ["label", "before", "after", "expected after"], rows))
    return _section(title, "", blocks)


def _provenance(outcome: Outcome) -> Iterable[Block]:
    yield Code(outcome["command"])
    heads = ["approach", "run", "image model", "statement constraints", "mode", "stickiness", "images", "how"]
    keys = ("name", "run", "approach", "statements", "mode", "stickiness")
    rows = [
        [*(anything(one[key]) for key in keys), count(one["images"]), anything(one["told"])]
        for one in outcome["approaches"]
    ]
    yield Table("Approaches", heads, rows, prose=True)
    yield Table("Settings", ["setting", "value"], _listed(outcome["settings"], without=("told",)))
    found, known = outcome["provenance"], outcome["provenance"]["fingerprints"]
    rows = _listed(found, without=("runs", "fingerprints"))
    rows += [[f"run {name}", anything(value)] for name, value in found["runs"].items()]
    rows += [["judge, fingerprint", known["judge"]]]
    for part, label in (("runs", "run"), ("classifiers", "classifier of run")):
        rows += [[f"{label} {name}, fingerprint", anything(value)] for name, value in known[part].items()]
    yield Table("Provenance", ["", "value"], rows, prose=True)
    yield Section("What the verdicts mean", (tables.meanings_table(),), only="markdown")


def _listed(values: Mapping[str, Any], without: tuple[str, ...]) -> list[list[str]]:
    return [[name.replace("_", " "), anything(value)] for name, value in values.items() if name not in without]
