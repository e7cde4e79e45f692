"""What a wheel carries: every package of the source tree, and every folder of presets."""

import configparser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


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
