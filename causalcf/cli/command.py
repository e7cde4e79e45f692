"""Run a command, in one process or in all that torchrun started. One process prints, and errors appear once:
a user error is one line and gives exit code 2, without a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import CausalCFError, ProcessError
from ..io.files import refusal
from ..io.text import escaped

if TYPE_CHECKING:
    from torch.distributed import Store

INTERRUPTED, TERMINATED = 130, 143  # exit codes after Ctrl-C and SIGTERM, as shells have them; see `run`
LOST = (
    "another process is gone, and all end with it; what became of it is said above or in torchrun's summary. What was "
    "finished is kept: a training goes on with --resume, an evaluation with --out and its folder"
)


class _Terminated(KeyboardInterrupt):
    """SIGTERM as an exception; it ends a command as Ctrl-C does, so that cleanup runs."""


def say(text: str) -> None:
    """Print a line on stderr, without control characters."""
    print(escaped(text), file=sys.stderr)


def launched() -> int:
    """Return the number of processes that torchrun started; 1 without torchrun."""
    size = os.environ.get("WORLD_SIZE", "")
    return int(size) if "RANK" in os.environ and size.isdecimal() else 1


def run(main: Callable[[], int | None], together: bool = False) -> int:
    """Run a main function; return its exit code, 2 (user error), 130 (Ctrl-C), 141 (pipe), 143 (SIGTERM)."""
    if launched() > 1 and not together:
        if os.environ["RANK"] != "0":
            return 0  # torchrun ends all once one has failed, also the one that is about to say why
        say("error: this command is run by one process; start it without torchrun")
        return 2
    try:
        with _hooks():
            code = main() or 0
        sys.stdout.flush()  # what is still to be written may find nobody to read it
        return code
    except CausalCFError as error:
        say(f"error: {error}")
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
        return 141
    except OSError as error:
        if refusal(error) is None:
            raise
        where = f": {error.filename}" if error.filename else ""
        say(f"error: {error.strerror}{where}")
        return 2
    except KeyboardInterrupt as error:
        say("interrupted")
        return TERMINATED if isinstance(error, _Terminated) else INTERRUPTED


@contextmanager
def _hooks() -> Iterator[None]:
    """Raise on SIGTERM; show a warning, such as of an old option's name, in one line; hush OSErrors of threads."""
    show_as_usual, end_thread_as_usual = warnings.showwarning, threading.excepthook
    on_main_thread = threading.current_thread() is threading.main_thread()
    heeded = on_main_thread and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL  # not where another handler is set

    def stop(number: int, frame: object) -> None:
        raise _Terminated

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if category in (FutureWarning, UserWarning):
            say(f"warning: {message}")
        elif category.__name__ != "DecompressionBombWarning":  # Pillow's, of an image that is refused by name
            show_as_usual(message, category, *place, **more)

    def end_thread(failure: threading.ExceptHookArgs) -> None:
        if not isinstance(failure.exc_value, OSError):  # the main thread reports a failed TensorBoard write
            end_thread_as_usual(failure)

    warnings.showwarning, threading.excepthook = show, end_thread
    if heeded:
        signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        warnings.showwarning, threading.excepthook = show_as_usual, end_thread_as_usual
        if heeded:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def run_together(main: Callable[[], int | None], patience: timedelta | None = None) -> int:
    """Run `main` in every process; return the exit code, or exit with it if there are several."""
    if launched() == 1:
        return run(main)
    return end_at_once(run(partial(_as_one_of_several, main, patience), together=True))


def end_at_once(code: int) -> NoReturn:
    """Exit without the interpreter's shutdown, during which gloo's threads may abort the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _as_one_of_several(main: Callable[[], int | None], patience: timedelta | None) -> int | None:
    from ..distributed.group import is_first, join, leave

    messages = join(patience)
    try:
        with _speaking(is_first()):
            code = main()
        leave()
        return code
    except KeyboardInterrupt:
        if is_first() and not messages.check(["error"]):
            raise
        return INTERRUPTED  # by a signal that all received, or by torchrun, because of what another has said
    except Exception as error:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun's, as one is gone; what happened is said first
        failure = ProcessError(LOST) if _lost_connection(error) else error
        if not _is_news(messages, failure):
            time.sleep(1)  # torchrun ends all once one has ended, also the one that is about to say it
            return 2
        raise failure from error.__cause__


@contextmanager
def _speaking(aloud: bool) -> Iterator[None]:
    """Discard what the block prints, unless `aloud`."""
    if aloud:
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def _is_news(messages: Store, error: Exception) -> bool:
    """Return whether no other process has reported this error or one that explains it."""
    from ..distributed.group import rank

    ours = f"{type(error).__name__}: {error}"
    who, said = messages.compare_set("error", "", f"{rank()} {ours}").decode().split(" ", 1)
    return int(who) == rank() or (said != ours and not isinstance(error, ProcessError))


def _lost_connection(error: Exception) -> bool:
    """Return whether a collective call failed, so that another process is gone (gloo: RuntimeError)."""
    from torch.distributed import DistError

    return isinstance(error, DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error).lower())
