"""Report as one HTML file that opens offline: styles and pictures inside, no scripts."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...io.text import plain
from . import sections as section_tables
from . import tables as link_tables
from . import tables as statement_tables
from .figure import DPI
from .links import FEW, VERDICTS, Group, Outcome, effect, interval
from .plots import Figures
from .summary import graph_line, judge_line, limits, summary

_TEMPLATES = Path(__file__).parent / "templates"
_CSS_PIXELS = 96  # an inch


def render_html(outcome: Outcome, groups: tuple[Group, ...], figures: Figures, pictures: Mapping[str, bytes]) -> str:
    """Render the whole page; all text of the outcome is escaped."""
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
    """Return a function from a file's name to the attributes of an <img>."""

    def found(name: str) -> dict[str, Any]:
        width, height = struct.unpack(">II", files[name][16:24])  # a PNG begins with its size
        source = "data:image/png;base64," + base64.b64encode(files[name]).decode()
        return {"src": source, "width": round(width * scale), "height": round(height * scale)}

    return found


def _told_effects(group: Group) -> str:
    """Describe an effect plot in words, as its alternative text."""
    told = [
        f"{link['approach']} {effect(link['effect_estimate'])} {interval(link['interval'])}, "
        f"reference {effect(link['reference'])}: {link['verdict']}"
        for link in group.links
    ]
    return f"Effect of {group.name}. {'; '.join(told)}."
