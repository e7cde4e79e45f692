"""Progress bars on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counting(label: str, total: int, done: int = 0, show: bool = True) -> Iterator[Callable[..., None]]:
    """Show progress, speed and remaining time on stderr; the context gives `advance(n, label=None)`."""
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
        yield lambda n, label=None: bar.update(task, advance=n, description=label)
