"""`python -m causalcf.page`: make one HTML file from a run that answers questions in any browser, offline."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checks import check, option
from .cli.command import run as run_command
from .cli.parser import CommandOptions, parse_command
from .errors import RunError
from .io.text import escaped, plain

if TYPE_CHECKING:
    from .runs.run import Run

DESCRIPTION = """Make a page from a run: one HTML file that answers questions in any browser.

It holds the networks and the label model. It needs no server and no network, and sends nothing anywhere.
"""
EXAMPLES = """examples:
  python -m causalcf.page
  python -m causalcf.page --run pretrained:faces --out faces.html
  python -m causalcf.page --run runs/latest --report runs/latest-report/report.json
"""
ASSETS = Path(__file__).parent / "webpage" / "assets"
# The page's own code, in the order in which it is put together; the networks run in a worker.
WORKER = ("layers.js", "networks.js")
SCRIPTS = ("labels.js", "question.js", "page.js", "ask.js", "noise.js", "photograph.js", "trust.js")


@dataclass(frozen=True)
class PageOptions(CommandOptions):
    """Options of `python -m causalcf.page`."""

    _error = RunError
    run: str = option("runs/latest", "the run to make a page from", metavar="RUN")
    out: Path = option(Path("page.html"), "the file to write", metavar="FILE")
    report: Path | None = option(None, "report.json of an evaluation of the run, whose verdicts the page shows")


def main(arguments: list[str] | None = None) -> None:
    """Run the command: write the page and print where it is."""
    options = parse_command(PageOptions, arguments, "page", DESCRIPTION, EXAMPLES)
    from .io.progress import counting
    from .runs.loading import load_run

    run = load_run(options.run, "cpu")
    with counting("coordinates", run.recipe.noise_dim) as advance:
        path = write_page(run, options.out, options.report, advance)
    print(escaped(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB); open it in a browser"))


def write_page(
    run: Run,
    path: str | Path,
    report: str | Path | None = None,
    on_coordinate: Callable[[int], None] = lambda n: None,
) -> Path:
    """Write a page that answers questions with this run, and return its path. The page is one HTML file.

    The page makes no network requests. It generates faces in the browser from float16 weights. It answers by the label
    model, exactly for up to about eleven labels. If the run has an encoder, the page also takes photographs, which stay
    in the browser.

    Args:
        run: a loaded run. One without labels gives a page of noise alone, which says what it lacks.
        path: the file to write; an older one is replaced.
        report: report.json of an evaluation of this run; the page shows its verdicts.
        on_coordinate: called with 1 after each coordinate of the noise whose effect was measured.

    Raises:
        RunError: the report is not of this run, or a label has too many parents for a page.
        WriteError: the file cannot be written.

    Examples:
        >>> path = write_page(load_run("pretrained:faces"), "faces.html")  # doctest: +SKIP
    """
    from . import __version__
    from .io.files import write_atomically
    from .runs.exported import LIMITS
    from .runs.run import Run
    from .webpage.contents import page_contents, page_facts, verdicts
    from .webpage.networks import network_layers

    check(isinstance(run, Run), "run", run, "a run, as load_run gives it", RunError)
    links = None if report is None else verdicts(Path(report), run.folder.name, run.step * run.recipe.batch)
    networks, halves, floats = network_layers(run.generator, run.labeler, run.encoder)
    contents = {**page_contents(run, links, on_coordinate), "networks": networks}
    fingerprint = hashlib.sha256(halves + floats + json.dumps(contents).encode()).hexdigest()[:12]
    page = _render(
        title=plain(f"{run.folder.name}, {run.recipe.approach} on {run.recipe.data}"),
        k=run.recipe.noise_dim,
        limits=LIMITS,
        facts=page_facts(run, __version__, fingerprint),
        contents={**contents, "fingerprint": fingerprint},
        halves=halves,
        floats=floats,
    )
    write_atomically(Path(path), page.encode())
    return Path(path)


def _render(contents: dict[str, Any], halves: bytes, floats: bytes, **shown: Any) -> str:
    """Put the page together. Its policy allows its own script and style alone, by their hashes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def asset(*names: str) -> str:
        return "\n".join((ASSETS / name).read_text() for name in names)

    css, script = asset("page.css"), '"use strict";\n' + asset(*SCRIPTS)
    script_hash, style_hash = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, css)
    )
    policy = (
        f"default-src 'none'; script-src 'sha256-{script_hash}'; style-src 'sha256-{style_hash}'; worker-src blob:; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    # Inside <script> only "</script" and "<!--" end or change the text; JSON may write "<" by its number.
    data = json.dumps(contents, allow_nan=False).replace("<", "\\u003c")
    environment = Environment(loader=FileSystemLoader(ASSETS), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("page.html.j2").render(
        **shown,
        policy=policy,
        css=Markup(css),
        script=Markup(script),
        worker=Markup(asset(*WORKER)),
        contents=Markup(data),
        halves=base64.b64encode(halves).decode(),
        floats=base64.b64encode(floats).decode(),
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
