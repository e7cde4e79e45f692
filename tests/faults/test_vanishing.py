"""The images of a data folder vanish or change: one sentence, and nothing that was done is lost."""

import pytest
from helpers.same_training import difference
from helpers.tiny_run import red_folder
from helpers.tiny_run import red_recipe as recipe
from PIL import Image

from causalcf.cli.command import run as run_command
from causalcf.data import imagefiles
from causalcf.runs.directory import load_checkpoint
from causalcf.train import main
from causalcf.training.experiment import start_run

ROWS = 12


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of tiny images, and a graph of their one label."""
    rows = "".join(f"{i}.jpg,{i % 2},train\n" for i in range(ROWS))
    return red_folder(tmp_path, monkeypatch, range(ROWS), ".jpg", "file,Red,split\n" + rows)


def said(capsys, *flags):
    """The last line of a command that must end with code 2, and no traceback before it."""
    assert run_command(lambda: main([*flags])) == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err and err.count("error: ") == 1
    return err.splitlines()[-1]


def test_images_that_vanish_while_the_cache_is_built_are_named(place, capsys, monkeypatch):
    usual, decoded = imagefiles.read_image, []

    def read_image(path, crop, size):
        if len(decoded) == 5:
            (place / "images").rename(place / "elsewhere")
        decoded.append(path.name)
        return usual(path, crop, size)

    with monkeypatch.context() as patch:
        patch.setattr("causalcf.data.cache.available_cores", lambda: 1)
        patch.setattr("causalcf.data.cache._CHUNK", 4)
        patch.setattr(imagefiles, "read_image", read_image)
        options = recipe(place).to_dict()
        flags = [f"--{key.replace('_', '-')}={value}" for key, value in options.items() if value is not None]
        line = said(capsys, *flags)
        assert line.startswith("error: cannot decode the image ") and ".jpg: " in line and "No such file" in line
        assert not (place / "runs").exists()
        (place / "elsewhere").rename(place / "images")
        assert main(flags) == 0
        assert set(decoded) == {f"{i}.jpg" for i in range(ROWS)}


def test_a_run_whose_images_are_gone_waits_for_them(place, capsys):
    start_run(recipe(place, images=24))
    whole = (place / "runs" / "latest").resolve()
    start_run(recipe(place))
    run = (place / "runs" / "latest").resolve()
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    (place / "images").rename(place / "elsewhere")
    assert "no folder" in said(capsys, "--resume", str(run), "--images=24")
    (place / "images").mkdir()
    assert "labels.csv" in said(capsys, "--resume", str(run), "--images=24")
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    (place / "images").rmdir()
    (place / "elsewhere").rename(place / "images")
    assert main(["--resume", str(run), "--images=24"]) == 0
    assert difference(whole, run) == []


def test_an_image_that_was_changed_is_refused_unless_told(place, capsys):
    start_run(recipe(place))
    run = (place / "runs" / "latest").resolve()
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    fingerprint = load_checkpoint(run)["data_fingerprint"]
    Image.new("RGB", (8, 8), "blue").save(place / "images" / "3.jpg")
    line = said(capsys, "--resume", str(run), "--images=24")
    assert f"was trained on data {fingerprint}" in line and "--changed-data" in line
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    assert main(["--resume", str(run), "--images=24", "--changed-data"]) == 0
    assert load_checkpoint(run)["data_fingerprint"] != fingerprint and load_checkpoint(run)["step"] == 3
