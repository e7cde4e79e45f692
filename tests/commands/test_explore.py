"""`python -m causalcf.explore` on small runs, with labels and without."""

import json
import subprocess
import sys

import pytest
from PIL import Image
from scipy.stats import t

from causalcf import explore
from causalcf.cli.command import run as run_command
from causalcf.errors import QueryError, RunError
from causalcf.explore import parse_options

SMALL = ["--faces", "2", "--pairs", "1", "--columns", "3", "--rows", "2"]


@pytest.mark.parametrize(("which", "ways"), [("a", 2), ("b", 1)])
def test_sheets_and_json(runs, tmp_path, capsys, which, ways):
    command = ["--run", str(runs / which / "latest"), "--out", str(tmp_path / "out"), "--json", *SMALL]
    assert run_command(lambda: explore.main(command)) == 0
    told = json.loads(capsys.readouterr().out)
    changes = [row["change"] for row in told["coordinates"]]
    assert sorted(row["coordinate"] for row in told["coordinates"]) == [0, 1, 2, 3, 4]
    assert changes == sorted(changes, reverse=True) and changes[-1] > 0
    with Image.open(told["sheets"][0]) as sweep, Image.open(told["sheets"][1]) as between:
        assert sweep.height == 2 * (3 * 66 + 2) and between.height == 2 * (ways * 66 + 2)
    explore.main(command)
    assert json.loads(capsys.readouterr().out) == told  # the same seed, the same faces


def test_a_table_for_people(runs, tmp_path, capsys):
    command = ["--run", str(runs / "a" / "latest"), "--out", str(tmp_path), "--given", "Male=0,Young=1", *SMALL]
    assert run_command(lambda: explore.main(command)) == 0
    told = capsys.readouterr().out
    assert "5 coordinates of z" in told and told.count("±") == 2 and "interpolation.png" in told
    explore.main([*command, "--json"])
    first = json.loads(capsys.readouterr().out)["coordinates"][0]
    faces = int(SMALL[SMALL.index("--faces") + 1])
    assert f"± {t.ppf(0.975, faces - 1) * first['error']:.4f}" in told


def test_mistakes_end_with_code_2(runs, tmp_path, capsys):
    for flags, culprit in (
        (["--run", str(runs / "a" / "lates")], "/latest"),
        (["--run", str(runs / "a" / "latest"), "--given", "Mael=0"], "'Male'"),
        (["--run", str(runs / "a" / "latest"), "--out", str(runs / "a" / "latest" / "meta.json"), *SMALL], "meta.json"),
    ):
        assert run_command(lambda flags=flags: explore.main(flags)) == 2
        assert culprit in capsys.readouterr().err
    with pytest.raises(RunError, match="needs a classifier"):
        explore.main(["--run", str(runs / "b" / "latest"), "--given", "Male=0"])


@pytest.mark.parametrize(
    ("flags", "culprit"),
    [
        (["--row", "3"], r"--row\b.*--rows\b"),
        (["--rows", "many"], r"\brows\b.*\bmany\b"),
        (["--columns", "1"], r"--columns\b.*\b1\b.*\b2\b"),
        (["--faces", "1"], r"--faces\b.*\b1\b.*\b2\b"),
        (["--seed", "-1"], r"--seed\b.*-1\b"),
        (["--given", "Male"], "'Male'"),
    ],
)
def test_flags_are_checked_before_anything_is_loaded(flags, culprit):
    with pytest.raises(QueryError, match=culprit):
        parse_options(flags)


def test_help_needs_no_torch():
    code = "import sys; from causalcf.explore import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "assert 'torch' not in sys.modules, 'torch was imported'"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--given" in done.stdout and "--pairs" in done.stdout
