"""What is imported before there is anything to do: nothing dear, by `import causalcf` and by any command's --help."""

import subprocess
import sys

import pytest
from helpers.documents import ROOT

DEAR = ("torch", "torchvision", "numpy", "scipy", "matplotlib", "networkx", "pandas", "PIL", "tensorboard")
COMMANDS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
    for path in (ROOT / "causalcf").rglob("*.py")
    if '\nif __name__ == "__main__":' in path.read_text()
)
HELP = """
import runpy
sys.argv = ["{name}", "--help"]
try:
    runpy.run_module("{name}", run_name="__main__", alter_sys=True)
except SystemExit as ended:
    assert ended.code == 0, ended.code
"""


def imported(code):
    """What the code printed, and which dear modules were there in the end."""
    code = f"import sys\n{code}\nprint('dear:', *[name for name in {DEAR!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr.splitlines()[-1].removeprefix("dear:").split()


def test_importing_the_package_imports_nothing_dear():
    assert imported("import causalcf; assert causalcf.__all__ and causalcf.GraphError")[1] == []
    assert imported("import numpy")[1] == ["numpy"]  # it would have been seen


@pytest.mark.parametrize("name", COMMANDS)
def test_help_imports_nothing_dear(name):
    said, dear = imported(HELP.format(name=name))
    assert dear == [] and said.startswith("usage: ") and "--help" in said


def test_all_commands_are_asked():
    known = {"train", "eval", "ask", "classify", "draw", "statements", "explore", "export", "data.faces"}
    assert {f"causalcf.{name}" for name in known} <= set(COMMANDS)
