"""The command line of `python -m causalcf.statements`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import StatementError
from .flags import Flags
from .presets import preset_names
from .statement_file import KIND
from .statement_modals import EPS

DATA = ("faces", "celeba")

DESCRIPTION = """Are counterfactual statements true, and can they all be? Each is held against an exact label model.

statements: "If SOMEONE PREDICATE, PRONOUN might|would [not]|would probably|likely [not] PREDICATE", from a YAML file.
  P is the consequent's probability; "not so before" is the same among those of whom the consequent does not hold yet,
  where the statement leaves that open. Exit code 1: two statements conflict, whatever the model.
"""
EXAMPLES = """examples:
  python -m causalcf.statements celeba
  python -m causalcf.statements mine.yaml --graph graphs/celeba.yaml --stickiness .77
  python -m causalcf.statements celeba --run runs/latest --json
"""


@dataclass(frozen=True)
class StatementOptions:
    """What a command line asks for.

    Args:
        file: of statements, or a preset's name.
        graph: the causal graph; not for a run, which has its own.
        data: whose label model.
        data_root: where CelebA's tables lie.
        run: the run whose label model is asked instead, or None.
        stickiness: in [0, 1].
        eps: the tolerance of might and would, in [0, .5).
        as_json: print JSON.
    """

    file: str
    graph: str = "celeba"
    data: str = "faces"
    data_root: str | None = None
    run: str | None = None
    stickiness: float = 1.0
    eps: float = EPS
    as_json: bool = False


def parse_options(arguments: Sequence[str]) -> StatementOptions:
    """What to check, and by which model; all that can be checked without loading anything is checked.

    Raises:
        StatementError: an unknown option, a value out of range, or options that contradict each other.
    """
    options = _parser().parse_checked(arguments, shares=("stickiness",))
    if not 0 <= options.eps < 0.5:
        raise StatementError(f"--eps is {options.eps:g}; it must lie in [0, .5)")
    if options.run is not None and (options.graph, options.data, options.data_root) != (None, None, None):
        raise StatementError("--run has a graph and labels of its own; leave out --graph, --data and --data-root")
    if options.data_root is not None and options.data != "celeba":
        raise StatementError("--data-root goes with --data celeba")
    if options.data == "celeba" and options.data_root is None:
        raise StatementError("--data celeba needs --data-root: the folder that holds CelebA's tables")
    return StatementOptions(
        file=options.file,
        graph=options.graph or "celeba",
        data=options.data or "faces",
        data_root=options.data_root,
        run=options.run,
        stickiness=options.stickiness,
        eps=options.eps,
        as_json=options.json,
    )


def _parser() -> Flags:
    parser = Flags(
        refuse=StatementError,
        prog="python -m causalcf.statements",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("file", metavar="FILE", help=f"a file of statements, or one of: {', '.join(preset_names(KIND))}")
    add("--graph", metavar="GRAPH", help="the causal graph: a file or a preset (celeba)")
    add("--data", choices=DATA, help="whose labels: those of faces, known exactly, or CelebA's, counted (faces)")
    add("--data-root", metavar="FOLDER", help="where CelebA's tables lie")
    add("--run", metavar="FOLDER", help="ask the label model of a trained run instead")
    sticky = "probability that a noise is kept (1)"
    add("--stickiness", type=float, default=1.0, metavar="S", help=sticky)
    add("--eps", type=float, default=EPS, metavar="E", help=f"the tolerance of might and would ({EPS:g})")
    add("--json", action="store_true", help="print JSON and nothing else")
    return parser
