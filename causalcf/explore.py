"""`python -m causalcf.explore`: what each coordinate of the noise does, and the way between two faces."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .command import run as run_command
from .explore_options import ExploreOptions, parse_options

if TYPE_CHECKING:
    from .sweeps import Effect


def main(arguments: list[str] | None = None) -> None:
    """Parse, load the run, write both sheets, print the coordinates that matter most."""
    options = parse_options(sys.argv[1:] if arguments is None else arguments)
    effects, sheets = explore(options)
    if options.as_json:
        print(json.dumps(_as_json(options, effects, sheets), indent=2))
    else:
        _print_table(options, effects)
        print(f"wrote {' and '.join(map(str, sheets))}")


def explore(options: ExploreOptions) -> tuple[list[Effect], list[Path]]:
    """Every coordinate's effect, the largest first, and the sheets written.

    Raises:
        CausalCFError: a run that cannot be used, faces that cannot be had, a folder that cannot be written.
    """
    import torch

    from .data.progress import counting
    from .errors import DataError
    from .pictures import save_sheet
    from .sweeps import coordinate_effects, interpolation_rows, sweep_rows
    from .worlds.run import load_run

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
