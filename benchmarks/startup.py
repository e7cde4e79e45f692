"""How long `import causalcf` and every command's --help take, each in a process of its own.

    python benchmarks/startup.py [--repeats 5]

Prints medians, after one start that is not counted (it may write bytecode), and the least and greatest. The aims are
.3 s for the import and 1 s for help. The interpreter's own start is a row, and part of all others.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

from causalcf.cli.command import run
from causalcf.errors import CausalCFError

COMMANDS = ("train", "eval", "ask", "classify", "statements", "explore", "draw", "data.faces")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the import and every command's help.")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if options.repeats < 1:
        raise CausalCFError(f"--repeats={options.repeats}: expected a whole number, at least 1")
    starts = {"python": ["-c", ""], "import causalcf": ["-c", "import causalcf"]}
    starts |= {f"causalcf.{name} --help": ["-m", f"causalcf.{name}", "--help"] for name in COMMANDS}
    table = Table("start", "seconds", "least", "greatest", title=f"median of {options.repeats}")
    for name, arguments in starts.items():
        seconds = [timed(arguments) for _ in range(options.repeats + 1)][1:]
        table.add_row(name, *(f"{value:.2f}" for value in (statistics.median(seconds), min(seconds), max(seconds))))
    Console(width=100).print(table)


def timed(arguments: list[str]) -> float:
    """Seconds that a Python takes to run to its end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(run(main))
