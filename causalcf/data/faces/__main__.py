"""Write a contact sheet of the procedural faces, for example with --out sheet.png."""

from __future__ import annotations

import sys
from pathlib import Path

from ...cli.command import run
from ...cli.parser import Flags
from ...errors import DataError


def contact_sheet(path: str | Path, n: int = 12, seed: int = 0, scale: int = 2) -> Path:
    """Write n faces in the first row, and one row for each label with that label flipped."""
    for what, value, low, high in (("n", n, 1, 100), ("seed", seed, 0, 2**31), ("scale", scale, 1, 8)):
        if not low <= value <= high:
            raise DataError(f"contact sheet: {what}={value}; expected {low} to {high}")
    import torch

    from ...pictures.sheets import save_sheet
    from .person import LABELS
    from .renderer import render
    from .units import sample_units

    units = sample_units(n, torch.Generator().manual_seed(seed))
    rows = [("as drawn", units.images())]
    for column, name in enumerate(LABELS):
        flipped = units.labels.clone()
        flipped[:, column] = 1 - flipped[:, column]
        rows.append((f"{name} flipped", render(flipped, units.noise)))
    save_sheet(path, rows, scale)
    return Path(path)


def main(arguments: list[str] | None = None) -> None:
    """Parse the arguments, then draw the sheet; torch is imported only after parsing."""
    parser = Flags(
        refuse=DataError, prog="python -m causalcf.data.faces", description="Draw a contact sheet of rendered faces."
    )
    parser.add_argument("--out", required=True, help="the picture to write, such as sheet.png")
    parser.add_argument("--n", type=int, default=12, help="faces in a row (default: 12)")
    parser.add_argument("--seed", type=int, default=0, help="which faces (default: 0)")
    parser.add_argument("--scale", type=int, default=2, help="enlargement (default: 2)")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)

    print(contact_sheet(options.out, options.n, options.seed, options.scale))


if __name__ == "__main__":
    sys.exit(run(main))
