"""The report as one HTML file that opens offline: styles and pictures inside, no script, no request."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..inert import plain
from . import link_tables, section_tables, statement_tables
from .drawn import DPI
from .figures import Figures
from .report_limits import limits
from .report_links import FEW, VERDICTS, Group, Outcome
from .report_numbers import effect, interval
from .report_summary import graph_line, judge_line, summary

_TEMPLATES = Path(__file__).parent / "templates"
_CSS_PIXELS = 96  # an inch


def render_html(outcome: Outcome, groups: tuple[Group, ...], figures: Figures, pictures: Mapping[str, bytes]) -> str:
    """The whole page.

    Args:
        outcome: of an evaluation, schema 1; its text is shown as text, whatever it holds.
        groups: its links.
        figures: its plots.
        pictures: name -> PNG file of each picture of faces that the outcome names.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def inert(value: object) -> object:
        return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=inert,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        outcome=outcome,
        groups=groups,
        few=len(groups) <= FEW,
        verdicts=VERDICTS,
        summary=summary(outcome, groups),
        judge_line=judge_line(outcome),
        graph_line=graph_line(outcome),
        limits=limits(outcome),
        heat_maps=figures.heat_maps,
        effects=figures.effects,
        plot=_sized(figures.files, _CSS_PIXELS / DPI),
        picture=_sized(pictures, 1.0),
        told_effects=_told_effects,
        tables=link_tables,
        sections=section_tables,
        statements=statement_tables,
        told=statement_tables.statement_groups(outcome),
    )


def _sized(files: Mapping[str, bytes], scale: float) -> Callable[[str], dict[str, Any]]:
    """From a file's name to what an <img> needs."""

    def found(name: str) -> dict[str, Any]:
        width, height = struct.unpack(">II", files[name][16:24])  # a PNG begins with its size
        source = "data:image/png;base64," + base64.b64encode(files[name]).decode()
        return {"src": source, "width": round(width * scale), "height": round(height * scale)}

    return found


def _told_effects(group: Group) -> str:
    """What an effect plot shows, for who cannot see it."""
    told = [
        f"{link['approach']} {effect(link['effect_estimate'])} {interval(link['interval'])}, "
        f"reference {effect(link['reference'])}: {link['verdict']}"
        for link in group.links
    ]
    return f"Effect of {group.name}. {'; '.join(told)}."
