"""Report as one HTML file that opens offline: styles and pictures inside, no scripts."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...io.text import plain
from .figure import DPI
from .links import VERDICTS, Outcome
from .sections import Picture, Section

_TEMPLATES = Path(__file__).parent / "templates"
_CSS_PIXELS = 96  # an inch


def render_html(
    outcome: Outcome,
    head: Mapping[str, str],
    sections: list[Section],
    plots: Mapping[str, bytes],
    faces: Mapping[str, bytes],
) -> str:
    """Render the whole page; all text of the outcome is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: object) -> object:
        return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["a"] = lambda block, name: type(block).__name__ == name
    return environment.get_template("report.html.j2").render(
        outcome=outcome, head=head, sections=sections, verdicts=VERDICTS, sized=_sized(plots, faces)
    )


def _sized(plots: Mapping[str, bytes], faces: Mapping[str, bytes]) -> Callable[[Picture], dict[str, Any]]:
    """Return a function from a picture to the attributes of an <img>."""

    def found(picture: Picture) -> dict[str, Any]:
        content, scale = (faces[picture.file], 1.0) if picture.faces else (plots[picture.file], _CSS_PIXELS / DPI)
        width, height = struct.unpack(">II", content[16:24])  # a PNG begins with its size
        source = "data:image/png;base64," + base64.b64encode(content).decode()
        return {"src": source, "width": round(width * scale), "height": round(height * scale)}

    return found
