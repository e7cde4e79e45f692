import os
import resource
import signal
import subprocess
import sys
import textwrap
from functools import partial

import numpy as np
import pytest

from causalcf.data import cache as chunked_file
from causalcf.data.cache import _CHUNK, cache_root, open_cache
from causalcf.errors import DataError

SHAPE = (10 * _CHUNK + 17, 3, 2, 4)
ROW = np.arange(24, dtype=np.uint8).reshape(3, 2, 4)


def images(start, stop, salt=0):
    """Image i holds ROW + 7 i + salt, modulo 256."""
    return (ROW + (7 * np.arange(start, stop) + salt).astype(np.uint8)[:, None, None, None]).astype(np.uint8)


class Recorder:
    """A producer that remembers what it was asked for and fails where it is told to."""

    def __init__(self, salt=0, fail_at=None, error=None):
        self.salt, self.fail_at, self.error, self.starts = salt, fail_at, error, []

    def __call__(self, start, stop):
        self.starts.append(start)
        if self.fail_at is not None and start <= self.fail_at < stop:
            raise self.error
        return images(start, stop, self.salt)


def build(folder, produce, key="a", shape=SHAPE, workers=2):
    return open_cache(folder, {"key": key}, shape, produce, workers=workers, progress=False)


@pytest.mark.parametrize("n", [1, _CHUNK - 1, _CHUNK, _CHUNK + 1, SHAPE[0]])
@pytest.mark.parametrize("workers", [1, 3])
def test_holds_what_was_produced_and_is_read_only(tmp_path, n, workers):
    pixels = build(tmp_path / "deep" / "er", images, shape=(n, *SHAPE[1:]), workers=workers)
    np.testing.assert_array_equal(pixels, images(0, n))
    with pytest.raises(ValueError, match="read-only"):
        pixels[0] = 0


def test_each_image_is_produced_once_and_a_second_opening_produces_none(tmp_path):
    first, second = Recorder(), Recorder()
    build(tmp_path, first)
    np.testing.assert_array_equal(build(tmp_path, second), images(0, SHAPE[0]))
    assert sorted(first.starts) == list(range(0, SHAPE[0], _CHUNK))
    assert second.starts == []


def test_a_changed_source_is_noticed_and_the_old_images_are_dropped(tmp_path, caplog):
    build(tmp_path, images)
    assert not caplog.records
    changed = build(tmp_path, Recorder(salt=5), key="b")
    assert "source has changed" in caplog.text
    np.testing.assert_array_equal(changed, images(0, SHAPE[0], salt=5))
    assert len(list(tmp_path.glob("*.npy"))) == 1


def test_a_map_of_the_old_source_stays_valid(tmp_path):
    old = build(tmp_path, images)
    build(tmp_path, Recorder(salt=5), key="b")
    np.testing.assert_array_equal(old, images(0, SHAPE[0]))


@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt()])
def test_an_interrupted_build_leaves_nothing_and_starts_again(tmp_path, error):
    with pytest.raises(type(error)):
        build(tmp_path, Recorder(fail_at=6 * _CHUNK, error=error), workers=1)
    assert [path.name for path in tmp_path.iterdir() if path.name != "lock"] == []
    again = Recorder()
    np.testing.assert_array_equal(build(tmp_path, again, workers=1), images(0, SHAPE[0]))
    assert len(again.starts) == 11


def test_the_error_of_the_producer_is_passed_on(tmp_path):
    with pytest.raises(DataError, match=r"7\.jpg"):
        build(tmp_path, Recorder(fail_at=7, error=DataError("image 7.jpg is broken")))


def test_a_producer_of_the_wrong_shape_or_type_is_refused(tmp_path):
    with pytest.raises(TypeError, match=r"produce\(0, 256\).*float32"):
        build(tmp_path, lambda start, stop: images(start, stop).astype(np.float32), workers=1)
    with pytest.raises(TypeError, match=r"produce\(0, 256\).*\(255, 3, 2, 4\)"):
        build(tmp_path, lambda start, stop: images(start, stop)[:-1], workers=1)


def start_builder(folder, gate):
    """A process that builds the cache, stops after four chunks until the file `gate` exists, and prints its count."""
    script = f"""
        import os, sys, time
        sys.path.insert(0, {os.path.dirname(os.path.dirname(__file__))!r})
        from data.test_cache import Recorder, build, chunked_file
        recorder = Recorder()
        def produce(start, stop):
            while start >= 4 * chunked_file._CHUNK and not os.path.exists({str(gate)!r}):
                os.write(1, b"waits\\n")  # whole, whichever of the threads writes it
                time.sleep(0.1)
            return recorder(start, stop)
        build({str(folder)!r}, produce)
        print(len(recorder.starts))
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # which what runs in the background ignores
    )


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_builder_leaves_no_cache_and_another_begins_again(tmp_path, death):
    folder, gate = tmp_path / "cache", tmp_path / "gate"
    builder = start_builder(folder, gate)
    assert builder.stdout.readline() == "waits\n"
    assert not list(folder.glob("*.npy"))
    builder.send_signal(death)
    gate.touch()  # Ctrl-C waits for the chunks under way
    builder.communicate()
    assert builder.returncode != 0
    np.testing.assert_array_equal(build(folder, images), build(tmp_path / "uninterrupted", images))
    assert sorted(path.suffix for path in folder.iterdir()) == ["", ".npy"]  # the lock and the images


def test_of_two_processes_at_once_one_builds_and_the_other_waits(tmp_path):
    folder, gate = tmp_path / "cache", tmp_path / "gate"
    first = start_builder(folder, gate)
    assert first.stdout.readline() == "waits\n"
    second = start_builder(folder, gate)
    assert "another process is building it; waiting" in second.stderr.readline()
    gate.touch()
    assert [builder.communicate()[0].splitlines()[-1] for builder in (first, second)] == ["11", "0"]
    np.testing.assert_array_equal(build(folder, Recorder()), images(0, SHAPE[0]))


def flipped(file):
    """The content with its last bit the other way round."""
    content = file.read_bytes()
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "shape", "flip"])
def test_a_file_that_is_not_these_images_is_made_anew(tmp_path, damage):
    build(tmp_path, images)
    (file,) = tmp_path.glob("*.npy")
    if damage == "shape":
        np.save(file, np.zeros((2, 3, 2, 4), np.uint8))
    else:
        file.write_bytes(
            {"cut": file.read_bytes()[:-1], "empty": b"", "text": b"no array", "flip": flipped(file)}[damage]
        )
    np.testing.assert_array_equal(build(tmp_path, images), images(0, SHAPE[0]))


def test_a_missing_image_file_means_starting_anew(tmp_path):
    build(tmp_path, images)
    for file in tmp_path.glob("*.npy"):
        file.unlink()
    np.testing.assert_array_equal(build(tmp_path, images), images(0, SHAPE[0]))


def test_too_little_room_is_said_before_anything_is_written(tmp_path, monkeypatch):
    usage = chunked_file.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(chunked_file.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(DataError, match=r"\b0 MiB.*CAUSALCF_CACHE"):
        build(tmp_path, images)
    assert not list(tmp_path.glob("*.npy"))


def test_a_disk_that_fills_up_is_an_error_naming_the_file(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))  # the system refuses to write on, as a full disk does
    try:
        with pytest.raises(DataError, match=r"images-.*\.npy.*File too large"):
            build(tmp_path, images)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    np.testing.assert_array_equal(build(tmp_path, images), images(0, SHAPE[0]))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"/file/cache.*CAUSALCF_CACHE"):
        build(tmp_path / "file" / "cache", images)


def test_no_images_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"\(0, 3, 2, 4\)"):
        build(tmp_path, images, shape=(0, 3, 2, 4))


def test_cache_root_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CAUSALCF_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_root() == tmp_path / ".cache" / "causalcf"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "causalcf"
    monkeypatch.setenv("CAUSALCF_CACHE", "~/own")
    assert cache_root() == tmp_path / "own"


def test_progress_goes_to_stderr(tmp_path, capfd):
    open_cache(tmp_path, {}, SHAPE, images, label="faces")
    out, err = capfd.readouterr()
    assert out == ""
    assert "faces" in err and f"{SHAPE[0]}/{SHAPE[0]}" in err
