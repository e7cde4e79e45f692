"""What the tests of this folder share: things that must not happen."""

import os

import pytest


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mknod, (str(self.path),)


@pytest.fixture
def trap(tmp_path):
    """A pickle that makes a file where it is run, and that file's path."""
    made = tmp_path / "was-executed"
    return {"step": Touch(made)}, made
