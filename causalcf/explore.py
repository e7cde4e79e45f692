"""`python -m causalcf.explore`: the effect of each noise coordinate, and interpolation between faces."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cli.command import run as run_command
from .cli.parser import Flags, parse_conditions
from .errors import QueryError

if TYPE_CHECKING:
    from .pictures.gallery import Effect

DESCRIPTION = """Explore the noise of a trained run: which coordinates of z change the image most, what they do to a
face (sweep.png), and the way from one face to another (interpolation.png)."""
EXAMPLES = """examples:
  python -m causalcf.explore
  python -m causalcf.explore --given Male=0,Young=1 --rows 20 --out explored
"""
MIN = {"rows": 1, "columns": 2, "faces": 2, "pairs": 1, "seed": 0}


@dataclass(frozen=True)
class ExploreOptions:
    """Parsed options of `python -m causalcf.explore`."""

    run: str
    given: dict[str, int]
    rows: int
    columns: int
    faces: int
    pairs: int
    seed: int
    out: str
    as_json: bool
    device: str


def parse_options(arguments: Sequence[str]) -> ExploreOptions:
    """Parse the command line; check all that can be checked without the run."""
    flags = _parser().parse_checked(arguments, MIN)
    return ExploreOptions(
        run=flags.run,
        given=parse_conditions(flags.given, "--given"),
        rows=flags.rows,
        columns=flags.columns,
        faces=flags.faces,
        pairs=flags.pairs,
        seed=flags.seed,
        out=flags.out,
        as_json=flags.json,
        device=flags.device,
    )


def _parser() -> Flags:
    parser = Flags(
        refuse=QueryError,
        prog="python -m causalcf.explore",
        description=DESCRIPTION,
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add("--run", type=str, default="runs/latest", metavar="FOLDER", help="the run to explore")
    add("--given", action="append", default=[], metavar="NAME=0|1,...", help="draw only such faces")
    add("--rows", type=int, default=12, help="coordinates to show")
    add("--columns", type=int, default=9, help="positions across a coordinate's range, steps between two faces")
    add("--faces", type=int, default=8, help="faces that a coordinate's change is averaged over")
    add("--pairs", type=int, default=4, help="pairs of faces to interpolate between")
    add("--seed", type=int, default=0, help="of the faces, in [0, 2^32)")
    add("--out", type=str, default="explored", metavar="FOLDER", help="where the sheets go")
    add("--json", action="store_true", help="print JSON and nothing else")
    add("--device", type=str, default="auto", help="auto, cpu, cuda, cuda:1, ...")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Run the command: write both sheets and print the coordinates with the largest effects."""
    options = parse_options(sys.argv[1:] if arguments is None else arguments)
    effects, sheets = explore(options)
    if options.as_json:
        print(json.dumps(_as_json(options, effects, sheets), indent=2))
    else:
        _print_table(options, effects)
        print(f"wrote {' and '.join(map(str, sheets))}")


def explore(options: ExploreOptions) -> tuple[list[Effect], list[Path]]:
    """Return the effect of every coordinate, the largest first, and the paths of the sheets."""
    import torch

    from .errors import DataError
    from .io.progress import counting
    from .pictures.gallery import coordinate_effects, interpolation_rows, sweep_rows
    from .pictures.sheets import save_sheet
    from .runs.run import load_run

    run = load_run(options.run, options.device)
    drawn = torch.Generator().manual_seed(options.seed)
    worlds = run.sample(max(options.faces, 2 * options.pairs), given=options.given or None, generator=drawn)
    noise, n = worlds.noise, options.faces
    labels = worlds.labels if run.labels is not None else torch.zeros(len(noise), 0)
    positions = torch.linspace(-1, 1, options.columns)
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
    return effects, sheets


def _as_json(options: ExploreOptions, effects: list[Effect], sheets: list[Path]) -> dict[str, Any]:
    return {
        "run": str(Path(options.run).resolve()),
        "given": options.given,
        "seed": options.seed,
        "faces": options.faces,
        "positions": options.columns,
        "coordinates": [vars(effect) for effect in effects],
        "sheets": [str(path) for path in sheets],
    }


def _print_table(options: ExploreOptions, effects: list[Effect]) -> None:
    from rich.console import Console
    from rich.table import Table

    total = sum(effect.change for effect in effects)
    table = Table("coordinate", "mean change", "95 %", "share of all", title=f"{len(effects)} coordinates of z")
    for effect in effects[: options.rows]:
        share = f"{effect.change / total:.1%}" if total else "-"
        table.add_row(f"z{effect.coordinate}", f"{effect.change:.4f}", f"± {1.96 * effect.error:.4f}", share)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(run_command(main))
