"""Messages a second beside PyPI's `mail-parser`, on the same messages in one run. Gates nothing.

python tests/benchmarks/headers.py [FOLDER...]     the lab's headers before texts of two sizes, or messages of your own
python tests/benchmarks/headers.py --ingest [N]    a whole `mailscope ingest` of N messages, by the clock on the wall

mail-parser is left out where it is not installed. It is asked for what our rows tell, as far as it knows that: hops,
dates, addresses, Message-ID, subject and the headers on routing. Each message is read once, by both in turns of many,
so caches help only as far as messages resemble each other; those of the lab get names, ids and times of their own.
"""

import gc
import logging
import lzma
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from ingest.headers.batches import Piece, Task, read_batches

try:
    import mailparser
except ImportError:
    mailparser = None

BOX = Path(__file__).parents[1] / "analysis/lab/headers.mbox.xz"
TURN = 2_000  # messages, as in a task of an ingest
STAMP = "%d %b %Y %H:%M:%S"


def write_messages(folder: Path, count: int, text_bytes: int) -> None:
    """The lab's headers, each before a text, and told apart by clients, queue ids, Message-IDs and times."""
    chance = random.Random(count)  # noqa: S311  # a test case, not a secret
    text = (b"x" * 75 + b"\n") * (text_bytes // 76)
    parts = lzma.decompress(BOX.read_bytes()).split(b"From lab@lab.test ")[1:]
    for number in range(count):
        headers = parts[number % len(parts)].partition(b"\n")[2].rstrip(b"\n").decode("latin-1")
        told = told_apart(headers, number, chance).encode("latin-1")
        (folder / f"{1_700_000_000 + number}.M{number}.mx1:2,S").write_bytes(told + b"\n\n" + text)


def told_apart(headers: str, number: int, chance: random.Random) -> str:
    """The same headers of another message."""
    later = timedelta(seconds=chance.randrange(20 * 86_400))
    headers = re.sub(
        r"\d\d Nov 2026 \d\d:\d\d:\d\d",
        lambda found: (datetime.strptime(found[0], STAMP) + later).strftime(STAMP),  # goes back
        headers,
    )
    headers = re.sub(
        r"\bid ([0-9A-F]{6,})",
        lambda found: f"id {chance.getrandbits(4 * len(found[1])):0{len(found[1])}X}",
        headers,
    )
    headers = re.sub(r"(?im)^(message-id: <)", rf"\g<1>{number}.", headers)
    client = f"client{chance.randrange(1_000)}.sender"
    return headers.replace("client.sender", client).replace(
        "127.0.9.10", f"203.0.113.{chance.randrange(256)}"
    )


def read_ours(paths: Sequence[Path]) -> None:
    """The tables of files' messages, as an ingest makes them, which has found the files and knows their sizes."""
    for _ in read_batches(Task([PIECES[path] for path in paths], 20_000, None, with_subjects=True)):
        pass


PIECES: dict[Path, Piece] = {}


ASKED = (
    "received", "date", "message_id", "from_", "to", "cc", "return_path", "subject", "authentication_results", "dkim_signature",
    "list_id", "list_unsubscribe", "auto_submitted",
)  # fmt: skip


THEIR_FAILURES = (
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)  # of some odd messages; they cost it no more time


def read_theirs(paths: Iterable[Path]) -> None:
    """The same, of mail-parser."""
    for path in paths:
        with suppress(*THEIR_FAILURES):
            message = mailparser.parse_from_bytes(path.read_bytes())
            for name in ASKED:
                getattr(message, name)


def compare(name: str, paths: Sequence[Path]) -> None:
    """One line a program, by processor time."""
    programs: dict[str, Callable[[Sequence[Path]], None]] = {"mailscope": read_ours}
    if mailparser:
        programs["mail-parser"] = read_theirs
    spent = dict.fromkeys(programs, 0.0)
    PIECES[paths[0]] = Piece(str(paths[0]), paths[0])
    for read in programs.values():
        read(paths[:1])  # what is loaded at the first message
    for begin in range(0, len(paths), TURN):
        for path in paths[begin : begin + TURN]:
            size_bytes = len(path.read_bytes())  # the first to open a file would pay for the other
            PIECES[path] = Piece(str(path), path, size_bytes=size_bytes)
        for program, read in programs.items():
            gc.collect()  # each pays for its own rubbish
            begun = time.process_time()
            read(paths[begin : begin + TURN])
            spent[program] += time.process_time() - begun
    for program, seconds in spent.items():
        print(f"{name:<24} {len(paths):>7,} messages  {program:<12} {len(paths) / seconds:>9,.0f} messages/s")
    if mailparser:
        print(f"{'':<24} {spent['mail-parser'] / spent['mailscope']:>42.1f} times")


def compare_ingests(count: int) -> None:
    """A whole ingest with one worker and with two, start, tables and all, beside one process of mail-parser."""
    with tempfile.TemporaryDirectory() as scratch:
        box = Path(scratch) / "Maildir/cur"
        box.mkdir(parents=True)
        write_messages(box, count, 2_000)
        for workers in (1, 2):
            words = (
                "ingest",
                str(box.parent),
                "--lake",
                f"{scratch}/lake{workers}",
                "--workers",
                str(workers),
            )
            begun = time.monotonic()
            subprocess.run((sys.executable, "-m", "mailscope", *words), check=True, stdout=subprocess.DEVNULL)
            tell_ingest(f"mailscope, workers: {workers}", count, time.monotonic() - begun)
        if mailparser:
            begun = time.monotonic()
            read_theirs(box.iterdir())
            tell_ingest("mail-parser, reading", count, time.monotonic() - begun)


def tell_ingest(name: str, count: int, seconds: float) -> None:
    """One line."""
    print(f"{name:<24} {count:>7,} messages {seconds:>8.1f} s {count / seconds:>9,.0f} messages/s")


def main() -> None:
    """All sets."""
    logging.disable()  # mail-parser tells each report that it does not read
    match sys.argv[1:]:
        case ["--ingest", *count]:
            compare_ingests(int(*count or [20_000]))
        case []:
            for text_bytes, count in ((2_000, 16_000), (75_000, 8_000)):
                with tempfile.TemporaryDirectory() as folder:
                    write_messages(Path(folder), count, text_bytes)
                    compare(f"lab, texts of {text_bytes:,} B", sorted(Path(folder).iterdir()))
        case folders:
            for folder in folders:
                compare(folder, [path for path in sorted(Path(folder).rglob("*")) if path.is_file()])


if __name__ == "__main__":
    main()
