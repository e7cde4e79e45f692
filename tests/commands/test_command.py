"""How command lines end."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from causalcf.cli.command import run
from causalcf.errors import CausalCFError


def test_exit_codes(capsys):
    def refuse():
        raise CausalCFError("no such thing")

    def fill():
        raise OSError(errno.ENOSPC, "No space left on device", "file")

    def interrupt():
        raise KeyboardInterrupt

    def terminate():
        os.kill(os.getpid(), signal.SIGTERM)

    ends = (lambda: None, lambda: 1, refuse, fill, interrupt, terminate)
    assert [run(end) for end in ends] == [0, 1, 2, 2, 130, 143]
    said = ["error: no such thing", "error: No space left on device: file", "interrupted", "interrupted"]
    assert capsys.readouterr().err.splitlines() == said
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_an_error_of_the_system_that_is_a_mistake_of_ours_passes_through():
    with pytest.raises(FileNotFoundError):
        run(lambda: os.stat("/no/such/file"))


def test_a_reader_that_leaves_early_is_no_error():
    code = "import sys; from causalcf.cli.command import run; sys.exit(run(lambda: print('line\\n' * 100_000)))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asked:
        asked.stdout.readline()
        asked.stdout.close()
        assert asked.stderr.read() == b"" and asked.wait() == 141
