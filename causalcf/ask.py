"""`python -m causalcf.ask "Given a woman, what if she had a moustache?"`: answer with an image sheet.
`--json` prints {"run", "seed", "answers": [...]}; the exit code is 2 if a question failed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cli.command import run as run_command
from .cli.parser import Flags, parse_conditions
from .errors import CausalCFError, GraphError, QueryError
from .graph.files import load_graph
from .io.text import escaped
from .language.lists import load_queries
from .language.query import Query

if TYPE_CHECKING:
    from .runs.run import Run

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
    """Parsed options of `python -m causalcf.ask`; `queries` maps names to questions, "" for a single one."""

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
        """Return the path of a question's sheet; a named question adds its name to the file name."""
        return self.out.with_name(f"{self.out.stem}-{name}{self.out.suffix}") if name else self.out


def parse_options(arguments: Sequence[str]) -> AskOptions:
    """Parse the command line; check all that can be checked without loading the run."""
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
    """Check that --out names a picture in a folder that exists."""
    if not out.suffix or not out.parent.is_dir():
        raise QueryError(f"--out is {out}; it must name a picture, such as ask.png, in a folder that exists")
    return out


def _queries(options: argparse.Namespace) -> dict[str, Query]:
    nodes = _graph_nodes(options.run)
    english, flags = " ".join(options.question), [*options.given, *options.intervention]
    if sum(map(bool, (english, flags, options.queries))) != 1:
        raise QueryError("ask one of: a question in English, --given and --if, or --queries; see --help")
    if options.queries:
        queries = load_queries(options.queries, nodes)
    elif english:
        queries = {"": Query.parse(english, nodes)}
    else:
        names = nodes or None
        given = parse_conditions(options.given, "--given", names)
        queries = {"": Query(given, parse_conditions(options.intervention, "--if", names))}
    for name in queries:
        if "/" in name or len(name) > 60:
            raise QueryError(f"the question's name {name!r} goes into a picture's: without /, at most 60 letters")
    return {name: query.as_mode(options.mode) if options.mode else query for name, query in queries.items()}


def _graph_nodes(run: str) -> tuple[str, ...]:
    """Return the nodes of the run's graph; () if the graph cannot be read, as loading the run reports it."""
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


FACES, FACES_WITHOUT_LABELS = 100, 8  # each face of a run without labels takes a search among noises


def main(arguments: list[str] | None = None) -> int:
    """Run the command; torch is imported only after the options are parsed."""
    options = parse_options(sys.argv[1:] if arguments is None else arguments)
    from .runs.run import load_run

    return ask(load_run(options.run, options.device, options.classifier), options)


def ask(run: Run, options: AskOptions) -> int:
    """Answer all questions and print the answers; return 2 if one of several questions failed, else 0."""
    answers: list[dict[str, Any]] = []
    for name, query in options.queries.items():
        try:
            answers.append({"name": name, **_ask_one(run, query, name, options)})
        except CausalCFError as error:
            if len(options.queries) == 1:
                raise
            print(escaped(f"error: {name}: {error}"), file=sys.stderr)
            answers.append({"name": name, "question": str(query), "error": str(error)})
    if options.as_json:
        print(json.dumps({"run": options.run, "seed": options.seed, "answers": answers}, indent=2, allow_nan=False))
    return 2 if any("error" in one for one in answers) else 0


def _ask_one(run: Run, query: Query, name: str, options: AskOptions) -> dict[str, Any]:
    import torch

    from .answers.answer import answer
    from .answers.sheet import save_answer
    from .answers.text import to_dict, to_text
    from .io.progress import counting

    query, faces = _suited(run, query, options.mode), options.faces
    if faces is None:
        faces = FACES if run.labels is not None else FACES_WITHOUT_LABELS
    generator = torch.Generator().manual_seed(options.seed)
    numbers = faces, options.draws, options.stickiness, options.noise_stickiness
    searched = run.labels is None  # minutes, where what is given or the antecedent is rare
    total = 2 * faces if query.given else faces  # each is found as given, then as supposed
    with counting(f"faces, {name}" if name else "faces", total, show=searched) as on_face:
        found = answer(run, query, *numbers, generator, options.budget, on_face)
    sheet = options.sheet(name)
    save_answer(sheet, found, options.rows)
    if not options.as_json:
        print(to_text(found) + f"\nwrote {sheet}\n", flush=True)
    return {**to_dict(found), "sheet": str(sheet)}


def _suited(run: Run, query: Query, mode: str | None) -> Query:
    """Return the query in observe mode for a run without labels; raise an error if --do is set."""
    if run.labels is not None or query.mode == "observe":
        return query
    if mode == "do":
        raise QueryError("the run has no labels to intervene on; ask it with --observe")
    return query.as_mode("observe")


if __name__ == "__main__":
    sys.exit(run_command(main))
