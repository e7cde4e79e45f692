"""The command line of `python -m causalcf.ask`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .conditions import parse_conditions
from .errors import GraphError, QueryError
from .flags import Flags
from .graph_io import load_graph
from .worlds.query import Query
from .worlds.query_file import load_queries

DESCRIPTION = """Ask a trained run a counterfactual question, in English or by flags.

questions: "Given SOMEONE, what if PRONOUN PREDICATE?" or "What if SOMEONE PREDICATE?"
  The pronoun (he, she, they) refers to whom is given. Conditions are joined by "and", "but", commas; a negation (not,
  no, without, n't) reaches the next condition and a list joined by "or". "What if we observed that she ..." and
  "what if she turned out to ..." make the antecedent an observation, all else an intervention.
"""
EXAMPLES = """examples:
  python -m causalcf.ask "Given a woman, what if she had a moustache?"
  python -m causalcf.ask "Given an old bald man with glasses, what if he were young and not bald?"
  python -m causalcf.ask --given Male=0,Young=1 --if Mustache=1 --observe
  python -m causalcf.ask --queries eval/queries.yaml --out six.png
"""


@dataclass(frozen=True)
class AskOptions:
    """What a command line asks for.

    Args:
        queries: name -> question; a single question has the name "".
        run: the run directory.
        classifier: the outside classifier that judges images; None takes the one beside the run, if there is one.
        mode: "do" or "observe", over the questions' own; None leaves them.
        stickiness, noise_stickiness: in [0, 1], or None for the defaults.
        faces: actual faces; None for 100, or 8 for a run without labels.
        draws: counterfactual draws of each.
        budget: noises that a run without labels may look at for each face, to find it and again to change it.
        rows: faces shown on a sheet.
        seed: of all randomness.
        as_json: print JSON.
        out: the sheet to write; several questions add their names to it.
        device: where to generate.
    """

    queries: dict[str, Query]
    run: str
    classifier: str | None
    mode: str | None
    stickiness: float | None
    noise_stickiness: float | None
    faces: int | None
    draws: int
    budget: int
    rows: int
    seed: int
    as_json: bool
    out: Path
    device: str

    def sheet(self, name: str) -> Path:
        """Where the sheet of a question goes."""
        return self.out.with_name(f"{self.out.stem}-{name}{self.out.suffix}") if name else self.out


def parse_options(arguments: Sequence[str]) -> AskOptions:
    """The questions and how to ask them; all that can be checked without loading the run is checked.

    Raises:
        QueryError: an unknown option, a value out of range, no question or two, or a question that is none.
    """
    least = {"faces": 1, "draws": 1, "budget": 1, "rows": 1, "seed": 0}
    options = _parser().parse_checked(arguments, least, shares=("stickiness", "noise_stickiness"))
    return AskOptions(
        queries=_queries(options),
        run=options.run,
        classifier=options.classifier,
        mode=options.mode,
        stickiness=options.stickiness,
        noise_stickiness=options.noise_stickiness,
        faces=options.faces,
        draws=options.draws,
        budget=options.budget,
        rows=options.rows,
        seed=options.seed,
        as_json=options.json,
        out=_sheet(Path(options.out)),
        device=options.device,
    )


def _sheet(out: Path) -> Path:
    """Checked before the work is done."""
    if not out.suffix or not out.parent.is_dir():
        raise QueryError(f"--out is {out}; it must name a picture, such as ask.png, in a folder that exists")
    return out


def _queries(options: argparse.Namespace) -> dict[str, Query]:
    nodes = _graph_nodes(options.run)
    english, flags = " ".join(options.question), [*options.given, *options.supposed]
    if sum(map(bool, (english, flags, options.queries))) != 1:
        raise QueryError("ask one of: a question in English, --given and --if, or --queries; see --help")
    if options.queries:
        queries = load_queries(options.queries, nodes)
    elif english:
        queries = {"": Query.parse(english, nodes)}
    else:
        names = nodes or None
        given = parse_conditions(options.given, "--given", names)
        queries = {"": Query(given, parse_conditions(options.supposed, "--if", names))}
    for name in queries:
        if "/" in name or len(name) > 60:
            raise QueryError(f"the question's name {name!r} goes into a picture's: without /, at most 60 letters")
    return {name: query.as_mode(options.mode) if options.mode else query for name, query in queries.items()}


def _graph_nodes(run: str) -> tuple[str, ...]:
    """The labels of the run's graph, which may be said in English; none where there is no run, as loading it tells."""
    file = Path(run) / "graph.yaml"
    try:
        return load_graph(file).nodes if file.is_file() else ()
    except GraphError:
        return ()


def _parser() -> Flags:
    parser = Flags(
        refuse=QueryError,
        prog="python -m causalcf.ask",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("question", nargs="*", help="a question in English")
    add("--given", action="append", default=[], metavar="NAME=0|1,...", help="who is given, instead of a question")
    add("--if", action="append", default=[], dest="supposed", metavar="NAME=0|1,...", help="what is supposed of them")
    add("--queries", nargs="?", const="queries", metavar="FILE", help="ask all questions of a file (eval/queries.yaml)")
    add("--run", default="runs/latest", metavar="FOLDER", help="the run to ask (runs/latest)")
    add(
        "--classifier",
        metavar="NAME",
        help="what reads the images: faces, celeba or a classifier's folder (classifier-<data> beside the run, else "
        "the run's own Labeler)",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--do", action="store_const", const="do", dest="mode", help="set the antecedent by intervention")
    mode.add_argument(
        "--observe", action="store_const", const="observe", dest="mode", help="find the antecedent to be so"
    )
    sticky = "probability that a noise is kept (1 for do, .53 for observe, as Lucas and Kemp fitted to people in 2015)"
    add("--stickiness", type=float, metavar="S", help=sticky)
    add("--noise-stickiness", type=float, metavar="S", help="the same for the image's noise alone (as --stickiness)")
    add("-n", "--faces", type=int, metavar="N", help="actual faces to sample (100; 8 for a run without labels)")
    add(
        "--draws", type=int, default=4, metavar="M", help="counterfactual draws of each face (4); rates count the first"
    )
    add(
        "--budget",
        type=int,
        default=20_000,
        metavar="B",
        help="noises that a run without labels may look at for each face before it gives up (20,000)",
    )
    add("--rows", type=int, default=6, metavar="R", help="faces to show on the sheet (6)")
    add("--seed", type=int, default=0, help="of all randomness, in [0, 2^32) (0)")
    add("--json", action="store_true", help="print JSON and nothing else")
    add("--out", default="ask.png", metavar="FILE.png", help="the sheet to write (ask.png)")
    add("--device", default="auto", help="where to generate (auto)")
    return parser
