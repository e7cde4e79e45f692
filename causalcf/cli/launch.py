"""Run a command in all processes that torchrun started; one process prints, and errors appear once."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from ..distributed.environment import launched
from ..errors import ProcessError
from .command import INTERRUPTED, run

if TYPE_CHECKING:
    from torch.distributed import Store

LOST = (
    "another process is gone, and all end with it; what became of it is said above or in torchrun's summary. What was "
    "finished is kept: a training goes on with --resume, an evaluation with --out and its folder"
)


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
