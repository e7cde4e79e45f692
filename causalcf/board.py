"""TensorBoard's events of a run, in files of limited size of which the newest are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

FILE_BYTES = 64 * 2**20  # when a new file is begun; a long run's pictures would else fill the disk


class Board:
    """Scalars and pictures for TensorBoard.

    Args:
        folder: where the event files go.
        keep: event files of `FILE_BYTES` that are kept; what the older ones held is gone from TensorBoard, while
            stats.jsonl has every scalar.
        purge_step: what earlier files say of this step and later ones is not shown; None where there are none.
    """

    def __init__(self, folder: Path, keep: int, purge_step: int | None = None) -> None:
        self.folder, self.keep = folder, keep
        self._open(purge_step)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.writer.add_scalar(name, value, step)

    def add_image(self, name: str, image: np.ndarray, step: int) -> None:
        """image: (height, width, 3) uint8."""
        self.writer.add_image(name, image, step, dataformats="HWC")

    def flush(self) -> None:
        """Writes what is due; begins a new file where this one is full, and drops the oldest."""
        self.writer.flush()
        if self.files()[-1].stat().st_size >= FILE_BYTES:
            self.writer.close()
            self._open(None)
            self._drop_oldest()

    def close(self) -> None:
        self.writer.close()

    def files(self) -> list[Path]:
        """The event files, the newest last."""
        return sorted(self.folder.glob("events.out.tfevents.*"), key=lambda path: path.stat().st_mtime_ns)

    def _open(self, purge_step: int | None) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(self.folder), purge_step=purge_step)

    def _drop_oldest(self) -> None:
        """Small files, as of runs resumed many times, stay: it is their sum that counts."""
        held = 0
        for path in reversed(self.files()):
            held += path.stat().st_size
            if held > self.keep * FILE_BYTES + FILE_BYTES // 2:
                path.unlink()
