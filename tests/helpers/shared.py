"""Folders that all processes of a test run share."""

import os
from contextlib import contextmanager

import pytest
from filelock import FileLock


@contextmanager
def made_once(tmp_path_factory, name):
    """A folder that all processes of a test run share, and whether it is still to be filled; whoever comes first does.

    Its caches go into it, too.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, full = shared / name, shared / f"{name}.full"
    with FileLock(shared / f"{name}.lock"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(folder / "cache"))
        if not full.exists():
            folder.mkdir()
        yield folder, not full.exists()
        full.touch()
