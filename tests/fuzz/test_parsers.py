"""Every reader of text, 200 broken texts each: it takes them or says in a sentence why not.

10,000 each take a quarter of an hour: pytest -m slow tests/fuzz/test_parsers.py
The process grows by less than 1 GiB at its peak; the slow form runs under such a limit, too.
"""

import contextlib
import io
import resource
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from helpers.broken import CASES, MANY, fuzz, mutated, outcome
from helpers.parsers import PARSERS

SAMPLE = 5  # of each, at the command line


def handed(parser, text, folder):
    """What the parser is given for a text: the text, or a file that holds it."""
    if parser.file is None:
        return text
    path = folder / parser.file
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


def refused(name, folder, cases):
    """Fuzzes a parser; all cases, and the sentences of those that it refused."""
    parser, found = PARSERS[name], []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @fuzz(mutated(parser.examples, parser.tokens), cases)
    def test(text):
        with contextlib.redirect_stdout(io.StringIO()):
            found.append((text, outcome(parser.read, handed(parser, text, folder))))

    test()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 2**20, f"the process has grown by {grown:,} kB at its peak, more than 1 GiB"
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Parser -> all its cases with the sentences of those that it refused; each parser is fuzzed once."""
    return cache(lambda name: refused(name, tmp_path_factory.mktemp("broken"), CASES))


@pytest.mark.parametrize("name", PARSERS)
def test_broken_text_is_taken_or_refused_in_a_sentence(name, found):
    cases = found(name)
    wrong = [sentence for _, sentence in cases if sentence is not None]
    assert len(cases) >= CASES and len(wrong) > CASES / 10
    assert len(wrong) < len(cases), "nothing is taken: the broken texts say nothing of the parser"
    assert len(set(wrong)) > 5, "one sentence for all: the parser's depths are not reached"


def test_a_sample_ends_with_code_2_at_the_command_lines(found, tmp_path):
    calls = []
    for name, parser in PARSERS.items():
        texts = [text for text, sentence in found(name) if sentence and text.isprintable() and text.strip()]
        assert not parser.command or len(texts) >= SAMPLE
        for number, text in enumerate(texts[:SAMPLE] if parser.command else ()):
            folder = tmp_path / f"{name}-{number}"
            folder.mkdir()
            calls.append([part.replace("{}", str(handed(parser, text, folder))) for part in parser.command])
    command = [sys.executable, "-c", _SEVERAL, repr(calls)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()
    assert done.stdout.split() == ["2"] * len(calls)
    assert len(said) == len(calls) and all(line.startswith("error: ") for line in said)


# One process for several command lines: importing takes longer than all of them.
_SEVERAL = """
import ast, importlib, sys
from causalcf.cli.command import run
for module, *flags in ast.literal_eval(sys.argv[1]):
    main = importlib.import_module(module).main
    print(run(lambda: main(flags)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
def test_ten_thousand_broken_texts(name, tmp_path):
    """10,000 cases: pytest -m slow -rP tests/fuzz/test_parsers.py -k ten_thousand"""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, before[1]))
    try:
        found = refused(name, tmp_path, MANY)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    wrong = sum(sentence is not None for _, sentence in found)
    print(f"{name}: {len(found):,} cases, {wrong:,} refused, {len(found) - wrong:,} taken")
