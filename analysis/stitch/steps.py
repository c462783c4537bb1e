"""The steps of stitching: each one SELECT in a file of its name, and what it reads, as its text says.

A step is done when all that it reads is there, two at a time, each on its share of the processors: a query alone seldom
keeps two busy, and threads of one that wait for each other cost a fifth more. What nobody reads any more is dropped:
memory is the limit.
"""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from typing import Final

# Cheaper to make again than to keep.
VIEWS: Final = frozenset({"attempts", "histories"})
# Table: the moment that decides its day. The largest first: the writers then end together.
TABLES: Final = {
    "deliveries": "attempted_at",
    "outcomes": "accepted_at",
    "sessions": "started_at",
    "messages": "accepted_at",
    "rejections": "rejected_at",
}
CARRIED: Final = ("queue", "delivery", "session", "reject", "notes")
# Made by Python from the addresses in this step.
OWN_ADDRESSES: Final = "own_addresses"
_OWN_READS: Final = "message_states"

_COMMENT: Final = re.compile(r"--.*")
_READ: Final = re.compile(r"\b(?:FROM|JOIN)\s+(?:with_message\('(\w+)'\)|(\w+))")
_LIVES: Final = "later_lines"  # what the macro with_message reads
WORKERS: Final = 2


def sql(name: str) -> str:
    """The text of a step (`queue`), of a table (`tables/messages`), or of what is carried on (`carried/queue`)."""
    return files("analysis.stitch").joinpath(f"{name}.sql").read_text("utf-8")


@cache
def steps() -> frozenset[str]:
    """The names of all steps."""
    texts = {file.name for file in files("analysis.stitch").iterdir() if file.name.endswith(".sql")}
    return frozenset(name.removesuffix(".sql") for name in texts - {"setup.sql"}) | {OWN_ADDRESSES}


@cache
def reads(name: str) -> frozenset[str]:
    """The steps that a text reads; of a view also what that reads."""
    if name == OWN_ADDRESSES:
        return frozenset({_OWN_READS})
    text = _COMMENT.sub("", sql(name))
    found = {word for words in _READ.findall(text) for word in words}
    if "with_message" in text:
        found.add(_LIVES)
    found &= steps() - {name}
    return frozenset(found.union(*(reads(view) for view in found & VIEWS)))


@cache
def graph() -> Mapping[str, frozenset[str]]:
    """Everything that is made of a chunk, with what it reads; what most others wait for comes first."""
    ends = [*(f"tables/{name}" for name in TABLES), *(f"carried/{name}" for name in CARRIED)]
    found = {name: reads(name) for name in (*sorted(steps()), *ends)}

    @cache
    def waiting(name: str) -> int:
        return sum(1 + waiting(reader) for reader, needed in found.items() if name in needed)

    return {name: found[name] for name in sorted(found, key=waiting, reverse=True)}


def run_all(make: Callable[[str], None], drop: Callable[[str], None]) -> None:
    """Makes everything in `graph`, and drops the steps that have had their last reader. Raises what `make` raises."""
    sorter, running = TopologicalSorter(graph()), dict[Future[None], str]()
    ready, order = list[str](), list(graph())
    unread = {name: sum(name in needed for needed in graph().values()) for name in steps()}
    sorter.prepare()
    with ThreadPoolExecutor(WORKERS) as pool:
        while sorter.is_active():
            ready = sorted([*ready, *sorter.get_ready()], key=order.index)
            while ready and len(running) < WORKERS:
                name = ready.pop(0)
                running[pool.submit(make, name)] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                future.result()
                sorter.done(name)
                for read in graph()[name]:
                    unread[read] -= 1
                    if not unread[read]:
                        drop(read)
