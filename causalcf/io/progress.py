"""Progress bars on stderr: work counted in images, and the training of the controller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counting(label: str, total: int, done: int = 0, show: bool = True) -> Iterator[Callable[[int], None]]:
    """Show progress, speed and remaining time on stderr; the context gives `advance(n)`."""
    from rich import progress
    from rich.console import Console
    from rich.text import Text

    class Speed(progress.ProgressColumn):
        def render(self, task: progress.Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f}/s")

    name = progress.TextColumn("{task.description}", markup=False)
    columns = name, progress.BarColumn(), progress.MofNCompleteColumn(), Speed(), progress.TimeRemainingColumn()
    with progress.Progress(*columns, console=Console(stderr=True), disable=not show) as bar:
        task = bar.add_task(label, total=total, completed=done)
        yield lambda n: bar.advance(task, n)


@contextmanager
def training_line(steps: int, shown: bool) -> Iterator[Callable[[int, float], None]]:
    """Show a progress line on stderr; yield a function of (steps done, total variation distance)."""
    from rich import progress
    from rich.console import Console

    columns = (
        *("label controller", progress.BarColumn(), "step {task.completed:.0f}/{task.total:.0f}"),
        *("TVD {task.fields[tvd]}", progress.TimeElapsedColumn(), "left", progress.TimeRemainingColumn()),
    )
    with progress.Progress(*columns, console=Console(stderr=True), disable=not shown) as bar:
        task = bar.add_task("controller", total=steps, tvd="-")
        yield lambda done, tvd: bar.update(task, completed=done, tvd=f"{tvd:.4f}")
