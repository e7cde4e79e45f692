"""How a command line ends: a user's mistake is one sentence and exit code 2, never a traceback."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .distributed.environment import launched, launched_first
from .errors import CausalCFError
from .files import refusal
from .inert import escaped

INTERRUPTED, TERMINATED = 130, 143  # exit codes after Ctrl-C and SIGTERM, as shells have them; see `run`


class _Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a command as Ctrl-C does: what has to be tidied up is."""


def run(main: Callable[[], int | None], together: bool = False) -> int:
    """Run a command's main function and say how it ended.

    Args:
        main: does the work; returns an exit code, or None for success.
        together: whether several processes, started by torchrun, may do it together.

    Returns:
        The exit code: main's own, 2 after a `CausalCFError` or where the system refuses to read or write (printed
        on stderr as `error: ...`, one line, control characters made visible), 130 after Ctrl-C, 143 after SIGTERM, 141
        where the reader of its output left, as `| head` does. Any other exception is a bug and passes through.
        A main that heeds signals itself, as a training does to save first, gives a code of its own: 130 after both.

    Source: defined here.

    Example:
        >>> run(lambda: None)
        0
    """
    if launched() > 1 and not together:
        return _refuse_several()
    try:
        with _heeding_termination(), _quiet_threads():
            code = main() or 0
        sys.stdout.flush()  # what is still to be written may find nobody to read it
        return code
    except CausalCFError as error:
        print(f"error: {escaped(error)}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
        return 141
    except OSError as error:
        if refusal(error) is None:
            raise
        where = f": {error.filename}" if error.filename else ""
        print(f"error: {escaped(error.strerror)}{escaped(where)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print("interrupted", file=sys.stderr)
        return TERMINATED if isinstance(error, _Terminated) else INTERRUPTED


def _refuse_several() -> int:
    """Work that one process does would be done, and written, by each of several."""
    if not launched_first():
        return 0  # torchrun ends all once one has failed, also the one that is about to say why
    print("error: this command is run by one process; start it without torchrun", file=sys.stderr)
    return 2


@contextmanager
def _heeding_termination() -> Iterator[None]:
    """SIGTERM raises; but not where somebody else handles it already, nor beside the main thread, where none can."""
    usual = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL

    def stop(number: int, frame: object) -> None:
        raise _Terminated

    if usual:
        signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        if usual:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _quiet_threads() -> Iterator[None]:
    """A full disk is told once: TensorBoard's thread hands its error to the main one, and need not print it, too."""
    usual = threading.excepthook

    def hook(failure: threading.ExceptHookArgs) -> None:
        if not isinstance(failure.exc_value, OSError):
            usual(failure)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = usual
