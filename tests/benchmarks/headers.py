"""Messages a second beside PyPI's `mail-parser`, on the same messages in one run, by processor time. Gates nothing.

python tests/benchmarks/headers.py [FOLDER...]     the lab's headers before texts of two sizes, or messages of your own

mail-parser is left out where it is not installed. Each is asked for what the other tells too: hops, date, Message-ID.
"""

import lzma
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ingest.errors import SourceError
from ingest.headers.messages import messages_in
from ingest.headers.rows import values_of

try:
    import mailparser
except ImportError:
    mailparser = None

BOX = Path(__file__).parents[1] / "analysis/lab/headers.mbox.xz"
RUNS = 3


def write_messages(folder: Path, text_bytes: int) -> None:
    """The lab's headers, each before a text."""
    text = (b"x" * 75 + b"\n") * (text_bytes // 76)
    for number, part in enumerate(lzma.decompress(BOX.read_bytes()).split(b"From lab@lab.test ")[1:]):
        _, _, headers = part.partition(b"\n")
        (folder / f"{number:05}.eml").write_bytes(headers.rstrip(b"\n") + b"\n\n" + text)


def read_ours(path: Path) -> int:
    """Hops of a file."""
    try:
        return sum(len(values_of(message)[1]) for message in messages_in(str(path)))
    except SourceError:  # an empty file
        return 0


def read_theirs(path: Path) -> int:
    """The same, of mail-parser."""
    message = mailparser.parse_from_bytes(path.read_bytes())
    return len(message.received) + bool(message.date and message.message_id) * 0


def rate(read: Callable[[Path], int], paths: Iterable[Path]) -> float:
    """Messages a second of processor time."""
    begun = time.process_time()
    count = sum(1 for path in paths if read(path) is not None)
    return count / (time.process_time() - begun)


def compare(name: str, paths: list[Path]) -> None:
    """One line a program: the median of several runs, taken in turns."""
    programs = {"mailscope": read_ours} | ({"mail-parser": read_theirs} if mailparser else {})
    rates: dict[str, list[float]] = {program: [] for program in programs}
    for _ in range(RUNS):
        for program, read in programs.items():
            rates[program].append(rate(read, paths))
    medians = {program: sorted(found)[RUNS // 2] for program, found in rates.items()}
    for program, found in medians.items():
        print(f"{name:<24} {len(paths):>7,} messages  {program:<12} {found:>9,.0f} messages/s")
    if mailparser:
        print(f"{'':<24} {medians['mailscope'] / medians['mail-parser']:>42.1f} times")


def main() -> None:
    """All sets."""
    if folders := sys.argv[1:]:
        for folder in folders:
            compare(folder, [path for path in sorted(Path(folder).rglob("*")) if path.is_file()])
        return
    for text_bytes in (2_000, 75_000):
        with tempfile.TemporaryDirectory() as folder:
            write_messages(Path(folder), text_bytes)
            compare(f"lab, texts of {text_bytes:,} B", sorted(Path(folder).iterdir()))


if __name__ == "__main__":
    main()
