"""How a command line ends: a user's mistake is one sentence and exit code 2, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from .errors import CausalCFError


def run(main: Callable[[], int | None]) -> int:
    """Run a command's main function and say how it ended.

    Args:
        main: does the work; returns an exit code, or None for success.

    Returns:
        The exit code: main's own, 2 after a `CausalCFError` (printed on stderr as `error: ...`), 130 after Ctrl-C, 141
        where the reader of its output left, as `| head` does. Any other exception is a bug and passes through.

    Source: defined here.

    Example:
        >>> run(lambda: None)
        0
    """
    try:
        code = main() or 0
        sys.stdout.flush()  # what is still to be written may find nobody to read it
        return code
    except CausalCFError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
        return 141
    except KeyboardInterrupt:
        return 130
