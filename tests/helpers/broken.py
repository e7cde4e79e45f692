"""Valid texts broken a little: what fuzzing is made of, since text without any structure is refused at once."""

import faulthandler
import re
import signal
import warnings
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causalcf.errors import CausalCFError

CASES, MANY = 200, 10_000
PLACE = st.integers(0, 10_000)
SECONDS = 20  # that one case may take, on a busy machine
TRAPS = (
    "",
    "\0",
    "\x1b[2J",
    "\u202e",
    "\ud800",
    "[/]",
    "../../x",
    "/etc/passwd",
    "9" * 5000,
    "1e999",
    "nan",
    "-1",
    "~",
)
TRAPS += (
    "&a ",
    "*a",
    "!!python/object/apply:os.system [x]",
    "{{",
    "[[",
    ": ",
    "- ",
    "\t",
    "\r",
    "\n",
    "'",
    '"',
    "é",
    "ß",
)


def mutated(examples, tokens=()):
    """Strategy: an example with a few of its words, marks and spaces deleted, doubled, exchanged or replaced."""
    pieces = st.sampled_from([*tokens, *TRAPS]) | st.text(max_size=8)
    edit = st.tuples(st.sampled_from(("delete", "insert", "double", "replace", "swap", "cut")), PLACE, PLACE, pieces)
    written = st.lists(st.sampled_from([*tokens, *TRAPS]), max_size=12).map(" ".join)
    return st.builds(_edited, st.sampled_from(list(examples)), st.lists(edit, min_size=1, max_size=3)) | written


def _edited(text, edits):
    for what, here, there, piece in edits:
        parts = re.findall(r"\w+|\s|[^\w\s]", text) or [""]
        i, j = here % len(parts), there % len(parts)
        if what == "delete":
            del parts[i : i + 1 + j % 4]
        elif what == "insert":
            parts.insert(i, piece)
        elif what == "double":
            parts[i:i] = parts[min(i, j) : min(i, j) + 20]
        elif what == "replace":
            parts[i] = piece
        elif what == "swap":
            parts[i], parts[j] = parts[j], parts[i]
        else:
            del parts[max(i, 1) :]
        text = "".join(parts)[:20_000]
    return text


@contextmanager
def limited(seconds=SECONDS):
    """Ends whatever hangs, with the stack that it hangs in."""

    def stop(number, frame):
        faulthandler.dump_traceback()
        pytest.fail(f"hangs: more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(read, *given, seconds=SECONDS):
    """None where `read` takes what it is given, else the sentence that refuses it; anything else is a failure."""
    with limited(seconds), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # an old name of an option is taken
        try:
            read(*given)
        except CausalCFError as error:
            sentence = str(error)
            assert sentence.strip(), "an empty sentence"
            assert "\n" not in sentence, "more than one line"
            return sentence
    return None


def fuzz(strategy, cases=CASES):
    """Decorator: a test of one argument, called with that many cases, the same ones every time."""

    def decorate(test):
        return settings(
            max_examples=cases,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )(given(strategy)(test))

    return decorate
