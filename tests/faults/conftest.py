"""One short finished training, copied for every test that damages it."""

import shutil

import pytest
from helpers.tiny_run import recipe_in

from causalcf.training.experiment import start_run


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The directory of a finished run; not to be changed."""
    base = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(base / "cache"))
        start_run(recipe_in(base))
    return (base / "runs" / "latest").resolve()


@pytest.fixture
def run(trained, tmp_path, monkeypatch):
    """A copy of the run, and a cache of its own."""
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    return shutil.copytree(trained, tmp_path / "runs" / trained.name)
