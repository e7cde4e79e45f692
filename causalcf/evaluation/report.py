"""An outcome written down: as JSON for programs, as a page and as Markdown for people, with its plots."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..files import clear_leftovers, write_atomically
from .figures import draw_figures
from .report_html import render_html
from .report_links import group_links
from .report_markdown import render_markdown
from .report_pictures import read_pictures

JSON, MARKDOWN, HTML = "report.json", "report.md", "report.html"


def write_report(folder: Path, outcome: Mapping[str, Any]) -> None:
    """Writes report.json, report.md, report.html and the plots, each file whole; all is made before any is written.

    What a process that was killed at it has left in the folder is cleared away.

    Args:
        folder: holds the pictures that the outcome names.
        outcome: of an evaluation, schema 1: plain values, null for what is not known.

    Raises:
        CausalCFError: a picture that is missing, no PNG, or outside the folder.
        ValueError: NaN or an infinity in the outcome.

    Source: defined here.
    """
    groups = group_links(outcome)
    written = json.dumps(outcome, allow_nan=False, indent=2)
    pictures = read_pictures(folder, outcome)
    figures = draw_figures(outcome, groups)
    files = {
        **figures.files,
        HTML: render_html(outcome, groups, figures, pictures).encode(),
        MARKDOWN: render_markdown(outcome, groups, figures).encode(),
        JSON: written.encode(),
    }
    clear_leftovers(folder)
    for name, content in files.items():
        write_atomically(folder / name, content)
