"""`python -m causalcf.eval --link "Young->Bald"`: measure which approach respects which causal link."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from .cli.command import run_together, say
from .cli.parser import parse_command
from .errors import QueryError, unknown
from .evaluation.suite import VERDICTS, EvalOptions, Link, LinkQuestion, Suite, load_suite, suite_statements

DESCRIPTION = """Which approach respects which causal link? The command flips the cause on many faces, measures the
effect, and compares it with the causal model's answer.

It evaluates the runs named by --run, or the newest finished run of each kind. Each kind of run has its approaches:
  causalgan: causalgan-do and causalgan-esm
  causalbegan: causalbegan-do and causalbegan-esm
  conditional: conditional-do
  dcgan: dcgan-gaussian and dcgan-esm
A run with --generator-labels has causalgan-partial-do. A run with statement constraints has causalgan-statements-do
and so on."""
EXAMPLES = """examples:
  python -m causalcf.eval --link "Young->Bald"
  python -m causalcf.eval --link Young:Bald --link Bald:Young --given Male=1 --mode observe
  python -m causalcf.eval --suite eval/celeba.yaml
  python -m causalcf.eval --link Young:Bald --require respected
  python -m causalcf.eval --statements celeba
  python -m causalcf.eval --photos --run RUN
"""
PATIENCE = timedelta(days=30)  # one of several processes may have hours of work left when another is ready


def parse_options(arguments: Sequence[str]) -> EvalOptions:
    """Parse the command line; check all that can be checked without loading a run."""
    options = parse_command(EvalOptions, arguments, "eval", DESCRIPTION, EXAMPLES)
    if options.require is not None and options.require not in VERDICTS:
        raise QueryError("--require: " + unknown("verdict", options.require, VERDICTS))
    return replace(options, suite=_suite(options))


def _suite(options: EvalOptions) -> Suite:
    links = tuple(LinkQuestion(Link.parse(text), options.given) for text in options.link)
    file, statements, photographs = options.suite_file, options.statements, options.photographs
    if links and file is not None:
        raise QueryError("ask one of: --link (once or more), or --suite; see --help")
    if not links and file is None and statements is None and photographs is None:
        raise QueryError("ask one of: --link (once or more), --suite, --statements or --photos; see --help")
    if options.given and not links:
        raise QueryError("--given goes with --link; in a suite it stands beside each link")
    if options.require is not None and not links and file is None:
        raise QueryError("--require is about links; ask some with --link or --suite")
    suite = Suite(", ".join(str(question.link) for question in links), links) if file is None else load_suite(file)
    if options.require is not None and suite.links == () and not suite.more:
        raise QueryError(f"--require is about links; the suite {suite.name} asks none")
    if photographs is not None:
        suite = replace(suite, name=suite.name or f"{photographs} photographs", photographs=photographs)
    if statements is None:
        return suite
    name = suite.name or f"statements {Path(statements).stem}"
    return replace(suite, name=name, statements=suite_statements(statements))


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
        say(f"not {options.require}: {name} is {link['verdict']}{why}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(run_together(main, PATIENCE))
