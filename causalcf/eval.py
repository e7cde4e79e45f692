"""`python -m causalcf.eval --link "Young->Bald"`: which approach respects which causal link?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from .distributed.launch import run_together
from .eval_options import EvalOptions, parse_options
from .inert import escaped

PATIENCE = timedelta(days=30)  # one of several processes may have hours of work left when another is ready


def main(arguments: list[str] | None = None) -> int:
    """Parse, evaluate, report; torch is imported only once there is something to ask."""
    given = sys.argv[1:] if arguments is None else arguments
    options = parse_options(given)
    from .evaluation.evaluate import evaluate

    outcome = evaluate(options, given)
    return failed(outcome["links"], options) if options.require else 0


def failed(links: Sequence[dict[str, Any]], options: EvalOptions) -> int:
    """1 where a link did not get the verdict required, and on stderr which; else 0."""
    wrong = [link for link in links if link["verdict"] != options.require]
    for link in wrong:
        why = f" ({link['why']})" if link["why"] else ""
        name = f"{link['cause']}->{link['effect']} by {link['approach']}"
        print(escaped(f"not {options.require}: {name} is {link['verdict']}{why}"), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(run_together(main, PATIENCE))
