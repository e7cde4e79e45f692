"""Exit of a command: a user error prints one line and gives exit code 2, without a traceback."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..distributed.environment import launched, launched_first
from ..errors import CausalCFError
from ..io.files import refusal
from ..io.text import escaped

INTERRUPTED, TERMINATED = 130, 143  # exit codes after Ctrl-C and SIGTERM, as shells have them; see `run`


class _Terminated(KeyboardInterrupt):
    """SIGTERM as an exception; it ends a command as Ctrl-C does, so that cleanup runs."""


def run(main: Callable[[], int | None], together: bool = False) -> int:
    """Run a main function; return its exit code, 2 (user error), 130 (Ctrl-C), 141 (pipe), 143 (SIGTERM)."""
    if launched() > 1 and not together:
        return _refuse_several()
    try:
        with _heeding_termination(), _quiet_threads(), _plain_warnings():
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
    """Refuse a start by torchrun: the first process prints an error and returns 2, the others 0."""
    if not launched_first():
        return 0  # torchrun ends all once one has failed, also the one that is about to say why
    print("error: this command is run by one process; start it without torchrun", file=sys.stderr)
    return 2


@contextmanager
def _heeding_termination() -> Iterator[None]:
    """Raise on SIGTERM, if this is the main thread and no other handler is set."""
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
def _plain_warnings() -> Iterator[None]:
    """Show what a user should change, such as an old option's name, in one line."""
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, FutureWarning):
            print(f"warning: {escaped(message)}", file=sys.stderr)
        else:
            usual(message, category, *place, **more)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = usual


@contextmanager
def _quiet_threads() -> Iterator[None]:
    """Print no OSError of other threads: the main thread reports a failed TensorBoard write."""
    usual = threading.excepthook

    def hook(failure: threading.ExceptHookArgs) -> None:
        if not isinstance(failure.exc_value, OSError):
            usual(failure)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = usual
