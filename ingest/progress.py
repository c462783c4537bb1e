"""A progress bar on a terminal, silence elsewhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

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
        total = sum(source.path.stat().st_size for source in sources)
        task = bar.add_task("reading", total=total, rate="")
        lines_done = 0

        def notify(name: str, size: int, lines: int) -> None:
            nonlocal lines_done
            lines_done += lines
            state = bar.tasks[0]
            rate = f"{lines_done / state.elapsed:,.0f} lines/s" if state.elapsed else ""
            bar.update(
                task, advance=size, total=max(total, state.completed + size), rate=rate, description="reading"
            )

        yield notify
