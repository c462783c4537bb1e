"""What really happened, beside the log: one row for each recipient as the sender addressed it.

Rows are told by the simulated events. What would happen after the end of the log has not happened.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

# A recipient that an alias turned into several has fared as badly as the worst of them.
BADNESS = {"delivered": 0, "discarded": 1, "deleted": 2, "expired": 3, "bounced": 4}


@dataclass(slots=True, eq=False)
class Row:
    """One recipient of one message, across hand-offs and retries."""

    sender: str | None
    recipient: str | None
    message_id: str | None = None
    story: str | None = None
    origin: str = "smtp"
    client_ip: str | None = None
    sasl_username: str | None = None
    host: str = ""
    instance: str | None = "postfix"
    final: list[str] = field(default_factory=list)
    queue_ids: list[str] = field(default_factory=list)
    size_bytes: int | None = None
    accepted_at: str | None = None
    settled_at: str | None = None
    outcome: str | None = None
    attempts: int = 0
    enhanced_code: str | None = None
    smtp_code: int | None = None
    relay: str | None = None
    unsettled: int = 1  # final addresses whose fate is open
    held: bool = False
    put_off: bool = False  # it was too early to try

    def as_json(self) -> str:
        """The row as a line of truth.jsonl."""
        queue_id = self.queue_ids[0].partition("/")[2] if self.queue_ids else None
        still = "held" if self.held else "deferred" if self.attempts or self.put_off else "queued"
        facts = {
            "host": self.host,
            "instance": self.instance,
            "queue_id": queue_id,
            "message_id": self.message_id,
            "sender": self.sender,
            "recipient": self.recipient,
            "final": self.final,
            "outcome": still if self.unsettled else self.outcome,
            "attempts": self.attempts,
            "size_bytes": self.size_bytes,
            "client_ip": self.client_ip,
            "sasl_username": self.sasl_username,
            "accepted_at": self.accepted_at,
            "settled_at": None if self.unsettled else self.settled_at,
            "enhanced_code": self.enhanced_code,
            "smtp_code": self.smtp_code,
            "relay": self.relay,
            "story": self.story,
            "origin": self.origin,
            "queue_ids": self.queue_ids,
        }
        return json.dumps(facts, ensure_ascii=False)


class Ledger:
    """Writes rows as they are settled, the open ones at the end; counts failed logins."""

    def __init__(self, folder: Path, end: int) -> None:
        self._end = end
        self._attacks = folder / "truth_attacks.json"
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / "truth.jsonl").open("w", encoding="utf-8", newline="\n")
        self._open: dict[Row, None] = {}  # in order of acceptance
        self.auth_failures: Counter[str] = Counter()

    def opened(self, rows: Iterable[Row]) -> None:
        """These recipients were accepted: they have a fate."""
        self._open.update(dict.fromkeys(rows))

    def settle(self, row: Row, t: int, stamp: str, outcome: str) -> None:
        """One final address of `row` has met its fate at `t`; `stamp` says so as the log does."""
        if t >= self._end:
            return
        row.unsettled -= 1
        row.settled_at = stamp
        if row.outcome is None or BADNESS[outcome] > BADNESS[row.outcome]:
            row.outcome = outcome
        if not row.unsettled:
            del self._open[row]
            self._write(row)

    def refused(self, row: Row, t: int, stamp: str) -> None:
        """The client was told at `t` that this recipient is not taken."""
        if t < self._end:
            row.unsettled, row.outcome, row.settled_at = 0, "rejected", stamp
            row.accepted_at = row.accepted_at or stamp
            self._open.pop(row, None)
            self._write(row)

    def close(self) -> None:
        """The log ends: what is open now stays open."""
        for row in self._open:
            self._write(row)
        self._file.close()
        failures = dict(sorted(self.auth_failures.items()))
        self._attacks.write_text(json.dumps({"auth_failures": failures}, indent=2) + "\n", encoding="utf-8")

    def _write(self, row: Row) -> None:
        self._file.write(row.as_json() + "\n")
