"""Progress on a terminal, silence elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ingest.reader import Progress as Notify
from ingest.sources import Source


@contextmanager
def shown_progress(sources: Sequence[Source]) -> Iterator[Notify | None]:
    """A callback that moves a bar of bytes, lines a second and time left on stderr; None where that is no terminal.

    Compressed sources hold more bytes than their files: the total then grows with what was read.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        total = sum(source.size_bytes for source in sources)
        task = bar.add_task("reading", total=total, rate="")
        lines_done = 0

        def notify(what: str, size: int, lines: int) -> None:
            nonlocal lines_done
            lines_done += lines
            state = bar.tasks[0]
            rate = f"{lines_done / state.elapsed:,.0f} lines/s" if lines_done and state.elapsed else ""
            total_now = max(total, state.completed + size)
            bar.update(task, advance=size, total=total_now, rate=rate, description=what)

        yield notify


@contextmanager
def shown_steps(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A callback that says how many of how many steps are done; None where stderr is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
