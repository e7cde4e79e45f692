"""Hours of use leave no more behind than minutes do.

    python -m pytest -m soak                      # half an hour
    SOAK_SECONDS=300 python -m pytest -m soak     # five minutes

Training, asking and evaluating go round in one process. After the first third of the time, in which libraries fill
their caches, neither memory nor open files may grow.
"""

import gc
import os
import shutil
import time

import pytest
from helpers.tiny_run import recipe_in

from causalcf.ask import main as ask
from causalcf.eval import main as evaluate
from causalcf.runs.directory import earlier, load_checkpoint
from causalcf.training.experiment import resume_run, start_run

SECONDS = float(os.environ.get("SOAK_SECONDS", "1800"))
GROWTH = 24 * 2**20  # bytes; a round holds about 100 MiB for a while, of which the allocator keeps now more, now less


def resident():
    """This process's memory in bytes, and its open files."""
    gc.collect()
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd"))


@pytest.mark.soak
def test_neither_memory_nor_open_files_grow(tmp_path, monkeypatch, judge_folder):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("causalcf.pictures.tensorboard.FILE_BYTES", 2**20)
    start_run(recipe_in(tmp_path))
    run = (tmp_path / "runs" / "latest").resolve()
    begin, seen = time.monotonic(), []
    while time.monotonic() - begin < SECONDS or len(seen) < 6:
        one_round(run, judge_folder, tmp_path / "out")
        seen.append(resident())
        print(f"{time.monotonic() - begin:6.0f} s  {seen[-1][0] / 2**20:7.1f} MiB  {seen[-1][1]} open files")
    third = len(seen) // 3
    middle, last = seen[third : 2 * third], seen[2 * third :]
    assert max(memory for memory, _ in last) < max(memory for memory, _ in middle) + GROWTH
    assert max(files for _, files in last) <= max(files for _, files in middle)
    assert len(earlier(run)) == 1
    events = [path.stat().st_size for path in run.glob("events.*")]
    assert sum(events) < 5 * 2**20


def one_round(run, judge, out):
    out.mkdir()
    images = load_checkpoint(run)["step"] * 8 + 48
    assert resume_run(str(run), {"images": images}) == 0
    question = ["--given", "Male=1", "--if", "Bald=1", "--run", str(run), "-n", "4"]
    assert ask([*question, "--out", str(out / "sheet.png")]) == 0
    link = ["--link=Male->Bald", "--run", str(run), "--judge", str(judge), "--half-width=.098"]
    evaluate([*link, "--out", str(out / "report")])
    shutil.rmtree(out)
