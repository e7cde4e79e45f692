"""How a command line ends: a user's mistake is one sentence and exit code 2, never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from .errors import CausalCFError


def run(main: Callable[[], int | None]) -> int:
    """Run a command's main function and say how it ended.

    Args:
        main: does the work; returns an exit code, or None for success.

    Returns:
        The exit code: main's own, 2 after a `CausalCFError` (printed on stderr as `error: ...`), 130 after Ctrl-C.
        Any other exception is a bug and passes through.

    Source: defined here.

    Example:
        >>> run(lambda: None)
        0
    """
    try:
        return main() or 0
    except CausalCFError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
