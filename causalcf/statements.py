"""`python -m causalcf.statements celeba`: are these counterfactual statements true, and can they all be?

Statements as data are in `statement.py`, and can be had from here. `--json` prints {"file", "model", "stickiness",
"eps", "statements": [...]}; each statement has the keys that `causalcf.statement_table.to_dict` tells. The exit code
is 1 where two statements conflict.
"""

from __future__ import annotations

import json
import sys

from .command import run as run_command
from .statement import Statement
from .statement_checks import Checked, check_statements, conflicts
from .statement_file import load_statements
from .statement_options import StatementOptions, parse_options
from .statement_table import print_table, to_dict
from .statement_truth import Truth

__all__ = ["Checked", "Statement", "Truth", "check_statements", "conflicts", "load_statements", "main"]


def main(arguments: list[str] | None = None) -> int:
    """Parse, check, print; torch is imported only once there is something to check."""
    options = parse_options(sys.argv[1:] if arguments is None else arguments)
    found = _check(options)
    if options.as_json:
        model = options.run or f"{options.data} on {options.graph}"
        told = {"file": options.file, "model": model, "stickiness": options.stickiness, "eps": options.eps}
        print(json.dumps({**told, "statements": list(map(to_dict, found))}, indent=2, allow_nan=False))
    else:
        from rich.console import Console

        print_table(found, options.eps, Console())
    return 1 if any(one.conflicts for one in found) else 0


def _check(options: StatementOptions) -> list[Checked]:
    from .statement_model import label_model, run_model

    if options.run is not None:
        scm = run_model(options.run)
    else:
        scm = label_model(options.graph, options.data, options.data_root)
    return check_statements(load_statements(options.file, scm.graph.nodes), scm, options.stickiness, options.eps)


if __name__ == "__main__":
    sys.exit(run_command(main))
