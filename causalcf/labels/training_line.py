"""One line of progress: step, distance to the data, time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def training_line(steps: int, shown: bool) -> Iterator[Callable[[int, float], None]]:
    """A progress line on stderr.

    Args:
        steps: the most steps that there will be.
        shown: False for silence.

    Yields:
        A function of (steps done, total variation distance).
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("label controller"),
        BarColumn(),
        TextColumn("step {task.completed:.0f}/{task.total:.0f}"),
        TextColumn("TVD {task.fields[tvd]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        task = progress.add_task("controller", total=steps, tvd="-")

        def report(done: int, tvd: float) -> None:
            progress.update(task, completed=done, tvd=f"{tvd:.4f}")

        yield report
