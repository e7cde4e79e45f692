"""TensorBoard writer with event files of limited size; only the newest files are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

FILE_BYTES = 64 * 2**20  # when a new file is begun; a long run's pictures would else fill the disk


class TensorBoardWriter:
    """TensorBoard writer; keeps `keep` files of 64 MiB and hides older files' events from `purge_step` on."""

    def __init__(self, folder: Path, keep: int, purge_step: int | None = None) -> None:
        self.folder, self.keep = folder, keep
        self._open(purge_step)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.writer.add_scalar(name, value, step)

    def add_image(self, name: str, image: np.ndarray, step: int) -> None:
        """Write a (height, width, 3) uint8 image."""
        self.writer.add_image(name, image, step, dataformats="HWC")

    def flush(self) -> None:
        """Write pending events; start a new file if this one is full, and delete the oldest."""
        self.writer.flush()
        if self.files()[-1].stat().st_size < FILE_BYTES:
            return
        self.writer.close()
        self._open(None)
        held = 0
        for path in reversed(self.files()):  # `keep` full files and a half are kept
            held += path.stat().st_size
            if held > self.keep * FILE_BYTES + FILE_BYTES // 2:
                path.unlink()

    def close(self) -> None:
        self.writer.close()

    def files(self) -> list[Path]:
        """Return the event files, oldest first."""
        return sorted(self.folder.glob("events.out.tfevents.*"), key=lambda path: path.stat().st_mtime_ns)

    def _open(self, purge_step: int | None) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(self.folder), purge_step=purge_step)
