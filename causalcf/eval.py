"""`python -m causalcf.eval --link "Young->Bald"`: measure which approach respects which causal link."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from .cli.launch import run_together
from .cli.parser import Flags, parse_conditions
from .errors import QueryError, unknown
from .evaluation.links import VERDICTS
from .evaluation.suite import (
    HALF_WIDTH,
    EvalOptions,
    Link,
    LinkQuestion,
    Suite,
    check_half_width,
    load_suite,
    suite_statements,
)
from .io.text import escaped

DESCRIPTION = """Which approach respects which causal link? Flip the cause on many faces, look at the effect, and hold
it against what the causal model says.

Of the newest finished run of each approach, or of the runs named: a causalgan run is asked as causalgan-do and
causalgan-esm, a conditional run as conditional-do, a dcgan run as dcgan-gaussian and dcgan-esm. Runs that were told
statements in training are asked beside those that were not, as causalgan-statements-do and so on."""
EXAMPLES = """examples:
  python -m causalcf.eval --link "Young->Bald"
  python -m causalcf.eval --link Young:Bald --link Bald:Young --given Male=1 --mode observe
  python -m causalcf.eval --suite eval/celeba.yaml
  python -m causalcf.eval --link Young:Bald --require respected
  python -m causalcf.eval --statements celeba
"""


def parse_options(arguments: Sequence[str]) -> EvalOptions:
    """Parse the command line; check all that can be checked without loading a run."""
    options = _parser().parse_checked(arguments, {"budget": 1, "seed": 0}, shares=("stickiness",))
    check_half_width("--half-width", options.half_width)
    if options.require is not None and options.require not in VERDICTS:
        raise QueryError("--require: " + unknown("verdict", options.require, VERDICTS))
    given = parse_conditions(options.given, "--given")
    suite = _suite(options, given)
    return EvalOptions(
        suite=suite,
        runs=tuple(options.runs or ()),
        base=options.base,
        graph=options.graph,
        judge=options.judge,
        classifier=options.classifier,
        data_root=options.data_root,
        mode=options.mode,
        stickiness=options.stickiness,
        budget=options.budget,
        half_width=options.half_width or suite.half_width or HALF_WIDTH,
        require=options.require,
        seed=options.seed,
        out=None if options.out is None else Path(options.out),
        device=options.device,
    )


def _suite(options: argparse.Namespace, given: Mapping[str, int]) -> Suite:
    links = tuple(LinkQuestion(Link.parse(text), given) for text in options.link)
    if links and options.suite is not None:
        raise QueryError("ask one of: --link (once or more), or --suite; see --help")
    if not links and options.suite is None and options.statements is None:
        raise QueryError("ask one of: --link (once or more), --suite or --statements; see --help")
    if given and not links:
        raise QueryError("--given goes with --link; in a suite it stands beside each link")
    if options.require is not None and not links and options.suite is None:
        raise QueryError("--require is about links; ask some with --link or --suite")
    if options.suite is not None:
        suite = load_suite(options.suite)
    else:
        suite = Suite(", ".join(str(question.link) for question in links), links)
    if options.statements is None:
        return suite
    name = suite.name or f"statements {Path(options.statements).stem}"
    return replace(suite, name=name, statements=suite_statements(options.statements))


def _parser() -> Flags:
    parser = Flags(
        refuse=QueryError,
        prog="python -m causalcf.eval",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--link", action="append", default=[], metavar="LINK", help='"Young->Bald" in quotes, Young:Bald or Young→Bald')
    add("--suite", nargs="?", const="celeba", metavar="FILE", help="ask all that a suite lists (eval/celeba.yaml)")
    add(
        "--statements",
        metavar="FILE",
        help="are these true in the images? (celeba, or a file); instead of a suite's own",
    )
    add("--given", action="append", default=[], metavar="NAME=0|1,...", help="only faces of which this is so")
    add("--runs", nargs="+", metavar="RUN", help="the runs to compare (the newest finished one of each approach)")
    add("--base", default="runs", metavar="FOLDER", help="where runs, classifier and judge lie (runs)")
    add("--mode", choices=("do", "observe"), help="only approaches that can be asked so, and those that can both")
    add("--stickiness", type=float, metavar="S", help="of approaches by ESM (1 for do, .53 for observe)")
    add("--graph", metavar="GRAPH", help="the causal graph assumed (the one that the runs were trained by)")
    add("--judge", metavar="FOLDER", help="the judge (judge-<data> beside the runs; trained first if there is none)")
    add("--classifier", metavar="FOLDER", help="sees antecedents in a dcgan's images (classifier-<data> in the base)")
    add("--data-root", metavar="FOLDER", help="where the images lie now, if not where they were")
    add("--half-width", type=float, metavar="W", help="of an effect's 95 %% interval, in shares (.03: 1,068 faces)")
    add("--budget", type=int, default=30, metavar="B", help="noises a dcgan may look at for each face, on average (30)")
    add("--require", metavar="VERDICT", help="exit 1 unless every link gets this verdict, such as respected")
    add("--seed", type=int, default=0, help="of all randomness, in [0, 2^32) (0)")
    add(
        "--out", metavar="FOLDER", help="where the report goes (a new folder in the base); goes on if one stopped there"
    )
    add("--device", default="auto", help="where everything runs (auto)")
    return parser


PATIENCE = timedelta(days=30)  # one of several processes may have hours of work left when another is ready


def main(arguments: list[str] | None = None) -> int:
    """Run the command; torch is imported only after the options are parsed."""
    given = sys.argv[1:] if arguments is None else arguments
    options = parse_options(given)
    from .evaluation.evaluate import evaluate

    outcome = evaluate(options, given)
    return failed(outcome["links"], options) if options.require else 0


def failed(links: Sequence[dict[str, Any]], options: EvalOptions) -> int:
    """Return 1 and print each link whose verdict is not the required one; 0 if there is none."""
    wrong = [link for link in links if link["verdict"] != options.require]
    for link in wrong:
        why = f" ({link['why']})" if link["why"] else ""
        name = f"{link['cause']}->{link['effect']} by {link['approach']}"
        print(escaped(f"not {options.require}: {name} is {link['verdict']}{why}"), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(run_together(main, PATIENCE))
