"""A full disk, a folder that cannot be written, a folder in use, a clock that jumps, images that vanish."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from helpers.newest import latest_runs
from helpers.same_training import difference
from helpers.tiny_run import TINY, recipe_in

from causalcf.cli.command import run as run_command
from causalcf.errors import RunError, WriteError
from causalcf.evaluation.inputs import load_runs
from causalcf.io.files import clear_leftovers, replacing, run_lock, temporary_beside
from causalcf.pictures.tensorboard import TensorBoardWriter
from causalcf.runs.loading import load_run
from causalcf.train import main
from causalcf.training.experiment import resume_run, start_run
from causalcf.training.loop import Training


@contextmanager
def disk(folder, options):
    """A disk of its own at a folder, where the system lets us have one."""
    folder.mkdir(exist_ok=True)
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("a disk of its own takes mount and root")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no disk of its own: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))


def flags(folder, **changes):
    options = recipe_in(folder, **changes).to_dict()
    return [f"--{key.replace('_', '-')}={value}" for key, value in options.items() if value is not None]


@pytest.mark.parametrize("left", [200_000, 700_000, 1_200_000, 1_600_000])
def test_a_full_disk_ends_in_a_sentence_and_training_goes_on_once_there_is_room(tmp_path, trained, capfd, left):
    with disk(tmp_path / "small", "size=16m") as small:
        filler = small / "filler"
        filler.write_bytes(bytes(16 * 2**20 - left))
        code = run_command(lambda: main(flags(small)))
        said = capfd.readouterr().err
        assert code == 2 and "No space left on device" in said and "Traceback" not in said
        assert not [path for path in small.rglob("*") if path.name.endswith(".tmp")]
        filler.unlink()
        latest = small / "runs" / "latest"
        if latest.exists():
            assert f"--resume {latest.resolve()}" in said
            load_run(latest).sample(2)  # the checkpoint is whole
            assert resume_run(str(latest), {}) == 0
        else:
            assert start_run(recipe_in(small)) == 0
        assert difference(trained, latest) == []


def test_a_read_only_folder_can_be_asked_but_not_trained_in(tmp_path, run, capfd):
    with disk(tmp_path / "frozen", "size=16m") as frozen:
        shutil.copytree(run, frozen / "runs" / run.name)
        subprocess.run(["mount", "-o", "remount,ro", str(frozen)], check=True)
        assert load_run(frozen / "runs" / run.name).sample(2).images.shape == (2, 3, 64, 64)
        assert run_command(lambda: main(["--resume", str(frozen / "runs" / run.name), "--images=64"])) == 2
        assert run_command(lambda: main(flags(frozen))) == 2
        said = capfd.readouterr().err
        assert said.count("Read-only file system") == 2 and "Traceback" not in said


@pytest.mark.parametrize(("inside", "sentence"), [("", "File exists"), ("/runs", "Not a directory")])
def test_a_file_in_the_place_of_the_runs_is_one_sentence(tmp_path, capsys, inside, sentence):
    (tmp_path / "afile").write_text("mine")
    assert run_command(lambda: main([*flags(tmp_path), f"--runs-dir={tmp_path}/afile{inside}"])) == 2
    (said,) = capsys.readouterr().err.splitlines()[-1:]
    assert said == f"error: cannot make a folder in {tmp_path}/afile{inside}: {sentence}; name another"
    assert (tmp_path / "afile").read_text() == "mine"


def test_what_a_library_wraps_is_still_told_as_what_it_is(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(WriteError, match=r"cannot write .*file: .*full"), replacing(path):
        try:
            raise OSError(28, "full")
        except OSError:
            raise RuntimeError("unexpected position") from None
    with pytest.raises(RuntimeError, match="a bug"), replacing(path):
        raise RuntimeError("a bug")
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["file"]


HOLDER = """
import sys, time
from pathlib import Path
from causalcf.io.files import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_run_in_use_is_refused_and_its_process_named(run, capsys):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(run)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        assert run_command(lambda: main(["--resume", str(run), "--images=64"])) == 2
        assert f"is in use: process {holder.pid} on " in capsys.readouterr().err
        load_run(run)  # to be asked it is free
    finally:
        holder.kill()
        holder.communicate()
    assert resume_run(str(run), {"images": 64}) == 0  # whoever died there holds it no more
    assert not (run / "in-use.json").exists()


def test_a_run_is_held_while_it_is_trained(tmp_path, monkeypatch):
    refused = []
    usual = Training.advance

    def advance(self):
        (folder,) = [path for path in (tmp_path / "runs").iterdir() if not path.is_symlink()]
        with pytest.raises(RunError, match=f"process {os.getpid()}"), run_lock(folder):
            pass
        refused.append(self.step)
        return usual(self)

    monkeypatch.setattr(Training, "advance", advance)
    start_run(recipe_in(tmp_path, images=16))
    assert refused == [0, 1]


def test_only_what_dead_processes_left_is_cleared_away(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    ours = temporary_beside(tmp_path / "checkpoint.pt")
    dead = ours.name.replace(str(os.getpid()), str(gone.pid))
    for name in (ours.name, dead, "mine.tmp"):
        (tmp_path / name).write_text("")
    assert clear_leftovers(tmp_path) == [dead]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_clock_that_jumps_changes_nothing(tmp_path, trained, monkeypatch):
    jumps = iter(range(10**6))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + (-1) ** next(jumps) * 1e6)
    start_run(recipe_in(tmp_path))
    run = tmp_path / "runs" / "latest"
    assert difference(trained, run) == []
    told = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    assert all(0 < line["seconds"] < 600 and line["images_per_second"] > 0 for line in told)
    assert latest_runs(tmp_path / "runs")["causalgan"] == run.resolve()


def test_images_that_vanish_in_the_middle_are_not_missed(tmp_path, trained, monkeypatch):
    usual = Training.advance

    def advance(self):
        if self.step == 2:
            shutil.rmtree(tmp_path / "cache")
        return usual(self)

    monkeypatch.setattr(Training, "advance", advance)
    start_run(recipe_in(tmp_path))
    assert difference(trained, tmp_path / "runs" / "latest") == []


SIDE_BY_SIDE = "import sys; from causalcf.cli.command import run; from causalcf.train import main; sys.exit(run(main))"


@pytest.mark.slow
def test_two_trainings_and_readers_side_by_side_do_not_disturb_each_other(tmp_path, trained):
    command = [sys.executable, "-c", SIDE_BY_SIDE, *flags(tmp_path)]
    both = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    latest, asked = tmp_path / "runs" / "latest", 0
    while any(process.poll() is None for process in both):
        if latest.is_symlink():  # from then on it always leads to a whole run
            load_run(latest).sample(2)
            asked += 1
        if newest := latest_runs(tmp_path / "runs"):  # what an evaluation would ask
            (run,) = load_runs(list(newest.values()), "cpu", None).values()
            assert run.step == 6
    assert [process.wait() for process in both] == [0, 0]
    runs = [path for path in (tmp_path / "runs").iterdir() if path.is_dir() and not path.is_symlink()]
    assert asked > 0 and len(runs) == 2
    assert all(difference(trained, run) == [] for run in runs)


def test_tensorboard_files_are_rotated(tmp_path, monkeypatch):
    monkeypatch.setattr("causalcf.pictures.tensorboard.FILE_BYTES", 50_000)
    from numpy.random import default_rng

    board, draw = TensorBoardWriter(tmp_path, keep=2), default_rng(0)
    for step in range(40):
        board.add_image("noise", draw.integers(0, 255, (64, 64, 3), "uint8"), step)
        board.flush()
    board.close()
    sizes = [path.stat().st_size for path in board.files()]
    assert 2 <= len(sizes) <= 4 and sum(sizes) < 200_000 < 40 * 64 * 64 * 3
    assert TINY.keep == 2
