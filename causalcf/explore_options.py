"""The command line of `python -m causalcf.explore`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .conditions import parse_conditions
from .errors import QueryError
from .flags import Flags

DESCRIPTION = """Explore the noise of a trained run: which coordinates of z change the image most, what they do to a
face (sweep.png), and the way from one face to another (interpolation.png)."""
EXAMPLES = """examples:
  python -m causalcf.explore
  python -m causalcf.explore --given Male=0,Young=1 --rows 20 --out explored
"""
LEAST = {"rows": 1, "columns": 2, "faces": 2, "pairs": 1, "seed": 0}


@dataclass(frozen=True)
class ExploreOptions:
    """What a command line asks for.

    Args:
        run: the run directory.
        given: labels that the faces are drawn under.
        rows: coordinates on the sweep sheet.
        columns: positions across a coordinate's range, and steps between two faces.
        faces: faces that the change is averaged over.
        pairs: pairs of faces on the interpolation sheet.
        seed: of the faces.
        out: folder that the sheets go into.
        as_json: print JSON.
        device: where to generate.
    """

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
    """Flags, checked as far as they can be without the run.

    Raises:
        QueryError: an unknown option (naming the nearest), a condition that is none, or a value out of range.
    """
    flags = _parser().parse_checked(arguments, LEAST)
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
