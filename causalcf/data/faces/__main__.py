"""`python -m causalcf.data.faces --out sheet.png`: a contact sheet of the procedural faces."""

from __future__ import annotations

import sys

from ...command import run
from ...errors import DataError
from ...flags import Flags


def main(arguments: list[str] | None = None) -> None:
    """Parse, then draw; torch is imported only once there is something to draw."""
    parser = Flags(
        refuse=DataError, prog="python -m causalcf.data.faces", description="Draw a contact sheet of rendered faces."
    )
    parser.add_argument("--out", required=True, help="the picture to write, such as sheet.png")
    parser.add_argument("--n", type=int, default=12, help="faces in a row (default: 12)")
    parser.add_argument("--seed", type=int, default=0, help="which faces (default: 0)")
    parser.add_argument("--scale", type=int, default=2, help="enlargement (default: 2)")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    from .sheet import contact_sheet

    print(contact_sheet(options.out, options.n, options.seed, options.scale))


if __name__ == "__main__":
    sys.exit(run(main))
