"""What a wheel carries: every package of the source tree, and every folder of presets."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def listed():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return set(config["options"]["packages"].split())


def test_every_package_is_listed():
    found = {".".join(p.parent.relative_to(ROOT).parts) for p in (ROOT / "causalcf").rglob("__init__.py")}
    assert {name for name in listed() if "._shipped" not in name} == found


@pytest.mark.parametrize("kind", ["graphs", "train", "eval"])
def test_presets_travel(kind):
    assert f"causalcf._shipped.{kind}" in listed() and list((ROOT / kind).glob("*.yaml"))


@pytest.mark.slow  # pip fetches setuptools to build with
def test_a_wheel_trains_in_an_empty_folder(tmp_path):
    source, wheels, installed, empty = (tmp_path / name for name in ("source", "wheels", "installed", "empty"))
    for folder in (source, empty):
        folder.mkdir()
    for name in ("causalcf", "graphs", "train", "eval", "setup.cfg", "pyproject.toml", "README.md"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(source)], check=True)
    (wheel,) = wheels.iterdir()
    subprocess.run([*pip, "install", "--no-deps", "--target", str(installed), str(wheel)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(installed), "CAUSALCF_CACHE": str(tmp_path / "cache")}
    train = ["-m", "causalcf.train", "--graph", "celeba", "--images=8", "--batch=8", "--data-size=40", "--width=2"]
    where = "import causalcf; print(causalcf.__file__)"
    told = subprocess.run([sys.executable, "-c", where], cwd=empty, env=environment, capture_output=True, text=True)
    assert Path(told.stdout.strip()).is_relative_to(installed)
    subprocess.run([sys.executable, *train], cwd=empty, env=environment, check=True)
    assert (empty / "runs" / "latest" / "checkpoint.pt").is_file()
