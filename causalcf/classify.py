"""`python -m causalcf.classify`: a calibrated classifier of face attributes, with a report, by one command."""

from __future__ import annotations

import sys

from .classifiers.options import parse_options
from .command import run


def main(arguments: list[str] | None = None) -> int:
    """Parse, then train; torch is imported only once there is something to train."""
    options = parse_options(sys.argv[1:] if arguments is None else arguments)
    from .classifiers.experiment import make_classifier, report_again

    if options.report_only is not None:
        report_again(options.report_only, options.recipe.device, options.recipe.data_root)
    else:
        make_classifier(options.recipe)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
