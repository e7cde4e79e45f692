"""A progress bar for work counted in images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counting(label: str, total: int, done: int = 0, show: bool = True) -> Iterator[Callable[[int], None]]:
    """Show how many of `total` are done, how fast it goes and how long it will take, on stderr.

    Args:
        label: what is counted.
        total: how many there are.
        done: how many were there at the start.
        show: False for silence.

    Returns:
        A context that gives `advance(n)`, to be called whenever n more are done.

    Source: defined here.

    Example:
        >>> with counting("images", total=10, show=False) as advance:
        ...     advance(10)
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f}/s")

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not show) as bar:
        task = bar.add_task(label, total=total, completed=done)
        yield lambda n: bar.advance(task, n)
