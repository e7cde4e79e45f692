"""Statistics of a run that goes on: the lines of its checkpoint stay, and none that a crash has left behind."""

import pytest

from causalcf.pictures.tensorboard import TensorBoardWriter
from causalcf.training.watchers import Statistics

LINES = ['{"step": 4}\n', '{"step": 8}\n', '{"step": 12}\n']


@pytest.mark.parametrize("left", ["", '{"ste', "\n", '{"images": 3}\n', '{"step": "9"}\n', "[1]\n"])
def test_lines_after_the_checkpoint_and_broken_lines_go(tmp_path, left):
    (tmp_path / "stats.jsonl").write_text("".join(LINES[:2]) + left + LINES[2])
    board = TensorBoardWriter(tmp_path, keep=1)
    assert Statistics(tmp_path, board, resumed_at=8).recorded == 8
    board.close()
    assert (tmp_path / "stats.jsonl").read_text() == "".join(LINES[:2])
