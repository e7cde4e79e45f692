"""`python -m causalcf.explore`: the effect of each noise coordinate, and interpolation between faces."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .checks import SEEDS, option
from .cli.command import run as run_command
from .cli.parser import CommandOptions, parse_command, parse_given
from .io.text import escaped

if TYPE_CHECKING:
    from .pictures.gallery import Effect

DESCRIPTION = """Explore the noise of a trained run: which coordinates of z change the image most, what they do to a
face (sweep.png), and the way from one face to another (interpolation.png)."""
EXAMPLES = """examples:
  python -m causalcf.explore
  python -m causalcf.explore --given Male=0,Young=1 --rows 20 --out explored
"""


@dataclass(frozen=True)
class ExploreOptions(CommandOptions):
    """Options of `python -m causalcf.explore`."""

    run: str = option("runs/latest", "the run to explore", metavar="RUN")
    classifier: str | None = option(
        None, "classifier that sees --given in a dcgan's images. Default: classifier-<data> beside the run",
        metavar="NAME",
    )  # fmt: skip
    given: dict[str, int] = option(
        None, "draw only such faces", action="append", metavar="NAME=0|1,...", parse=parse_given
    )
    rows: int = option(12, "number of coordinates to show", low=1)
    columns: int = option(9, "positions across a coordinate's range, and steps between two faces", low=2, high=1000)
    faces: int = option(8, "number of faces to average a coordinate's change over", low=2, high=100_000)
    pairs: int = option(4, "number of pairs of faces to interpolate between", low=1, high=1000)
    seed: int = option(0, "seed of the faces, in [0, 2^32)", low=0, below=SEEDS)
    out: str = option("explored", "folder for the sheets", metavar="FOLDER")
    as_json: bool = option(False, "print JSON only", name="--json", action="store_true")
    device: str = option("auto", "auto, cpu, cuda, cuda:1, ...")


def parse_options(arguments: Sequence[str] | None) -> ExploreOptions:
    """Parse the command line; check all that can be checked without the run."""
    return parse_command(ExploreOptions, arguments, "explore", DESCRIPTION, EXAMPLES)


def main(arguments: list[str] | None = None) -> None:
    """Run the command: write both sheets and print the coordinates with the largest effects."""
    options = parse_options(arguments)
    effects, sheets, caveat = explore(options)
    if options.as_json:
        from .runs.directory import find_run

        document = {
            "run": str(find_run(options.run)),
            "given": options.given,
            "seed": options.seed,
            "faces": options.faces,
            "caveat": caveat,
            "positions": options.columns,
            "coordinates": [vars(effect) for effect in effects],
            "sheets": [str(path) for path in sheets],
        }
        print(json.dumps(document, indent=2))
    else:
        _print_table(options, effects)
        if caveat:
            print(escaped(f"beware: {caveat}"))
        print(f"wrote {' and '.join(map(str, sheets))}")


def explore(options: ExploreOptions) -> tuple[list[Effect], list[Path], str]:
    """Return the effect of every coordinate, the largest first, the sheets' paths, and whose data the faces are of."""
    import torch

    from .errors import DataError
    from .io.progress import counting
    from .pictures.gallery import coordinate_effects, interpolation_rows, sweep_rows
    from .pictures.sheets import save_sheet
    from .runs.loading import load_run

    run = load_run(options.run, options.device, options.classifier)
    drawn = torch.Generator().manual_seed(options.seed)
    worlds = run.sample(max(options.faces, 2 * options.pairs), given=options.given or None, generator=drawn)
    noise, n = worlds.noise, options.faces
    labels = worlds.labels if run.labels is not None else torch.zeros(len(noise), 0)
    positions = torch.linspace(-1, 1, options.columns) * run.recipe.noise_range
    with counting("coordinates", noise.shape[1], show=not options.as_json) as advance:
        effects = coordinate_effects(run.generate, noise[:n], labels[:n], positions, advance)
    folder = Path(options.out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {folder}: {error}") from error
    sheets = [folder / "sweep.png", folder / "interpolation.png"]
    save_sheet(sheets[0], sweep_rows(run.generate, noise[0], labels[0], effects[: options.rows], positions))
    pairs = slice(2 * options.pairs)
    save_sheet(sheets[1], interpolation_rows(run.generate, noise[pairs], labels[pairs], options.columns))
    return effects, sheets, run.caveat if run.labels is None and options.given else ""


def _print_table(options: ExploreOptions, effects: list[Effect]) -> None:
    from rich.console import Console
    from rich.table import Table
    from scipy.stats import t

    quantile = t.ppf(0.975, options.faces - 1)
    total = sum(effect.change for effect in effects)
    table = Table("coordinate", "mean change", "95 %", "share of all", title=f"{len(effects)} coordinates of z")
    for effect in effects[: options.rows]:
        share = f"{effect.change / total:.1%}" if total else "-"
        table.add_row(f"z{effect.coordinate}", f"{effect.change:.4f}", f"± {quantile * effect.error:.4f}", share)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(run_command(main))
