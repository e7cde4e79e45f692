"""How command lines end."""

import subprocess
import sys

from causalcf.command import run
from causalcf.errors import CausalCFError


def test_exit_codes(capsys):
    def refuse():
        raise CausalCFError("no such thing")

    def interrupt():
        raise KeyboardInterrupt

    assert [run(lambda: None), run(lambda: 1), run(refuse), run(interrupt)] == [0, 1, 2, 130]
    assert capsys.readouterr().err == "error: no such thing\n"


def test_a_reader_that_leaves_early_is_no_error():
    code = "import sys; from causalcf.command import run; sys.exit(run(lambda: print('line\\n' * 100_000)))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asked:
        asked.stdout.readline()
        asked.stdout.close()
        assert asked.stderr.read() == b"" and asked.wait() == 141
