"""The servers: their processes, queues and clocks, and the agenda of what happens next."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from typing import TypeVar

from .logfile import LogFile
from .mail import Leg, Mail
from .plan import DAY, HOUR, MINUTE, SECOND, HostPlan, Plan, microseconds
from .queueids import QueueIds
from .stories import RULES, SLOW_FILTER, Rule
from .truth import Ledger, Row

MAX_IDLE = 100 * SECOND  # postconf(5): max_idle, max_use
MAX_USE = 100
QUEUE_SCAN = 300 * SECOND  # postconf(5): queue_run_delay
STOPPING = 150 * SECOND  # no new sessions shortly before a planned stop, so that none outlives it

T = TypeVar("T")
MS = 1_000
Worker = tuple[int, int]  # pid, uses


class Processes:
    """The processes of one service: an idle one is used again, as by master(8), else a new one is started."""

    __slots__ = ("_idle", "_max_idle", "_new_pid")

    def __init__(self, new_pid: Callable[[], int], max_idle: int) -> None:
        self._new_pid = new_pid
        self._max_idle = max_idle
        self._idle: list[tuple[int, int, int]] = []

    def take(self, t: int) -> Worker:
        """A process that is free at `t`."""
        while self._idle and self._idle[0][0] <= t:
            since, pid, uses = heappop(self._idle)
            if t - since < self._max_idle and uses < MAX_USE:
                return pid, uses
        return self._new_pid(), 0

    def give(self, worker: Worker, t: int) -> None:
        """The process is free again at `t`."""
        heappush(self._idle, (t, worker[0], worker[1] + 1))


# queue files, processes by program, last pid, last client, daemons (None: those that are there)
_Guest = tuple[QueueIds, dict[str, Processes], int, tuple[str, int], dict[str, int] | None]


class Host:
    """One mail server."""

    def __init__(self, plan: HostPlan, site_plan: Plan, folder: Path, random: Callable[[], float]) -> None:
        end = microseconds(site_plan.start) + site_plan.days * DAY
        self.plan = plan
        self.name = plan.name
        self.fqdn = f"{plan.name}.example.org"
        self.relay = f"{self.fqdn}[{plan.ip}]:25"
        self.log_file = LogFile(folder, plan, end)
        self.log = self.log_file.add
        self.stamp = self.log_file.stamp
        self.ids = QueueIds(random, long_ids=plan.long_ids)
        self.suspended: dict[str, tuple[int, int, str, str]] = {}  # domain: since, until, reason, dsn
        self.connections: dict[str, tuple[int, int]] = {}  # domain: open until, uses
        self.deferred: dict[str, Mail] = {}
        self.held: dict[str, Mail] = {}
        self._random = random
        self._scan = int(random() * QUEUE_SCAN)
        self.stops_at, self.starts_at = map(microseconds, plan.outage) if plan.outage else (end, end)
        self.last_client = ("", 0)  # address, moment
        self._pid = 0
        self._pools: dict[str, Processes] = {}
        self._daemons: dict[str, int] = {}
        self.restart()
        guest_ids = QueueIds(lambda: 0.7, long_ids=plan.long_ids)
        self._guest: _Guest = (guest_ids, {}, 20_000, ("", 0), None)

    def swap_guest(self) -> None:
        """Exchanges queue files and processes with those of guests."""
        kept = (self.ids, self._pools, self._pid, self.last_client, self._daemons)
        self.ids, self._pools, self._pid, self.last_client, daemons = self._guest
        self._guest = kept
        self._daemons = daemons if daemons is not None else dict(self._daemons)

    def forget_guests_daemons(self) -> None:
        """A guest met the server's own daemons, and will the next time."""
        self._guest = (*self._guest[:4], None)

    def restart(self) -> None:
        """New processes all over, with low pids, as after a boot."""
        self._pid = 600 + int(self._random() * 400)
        self._pools = {}
        self._daemons = {}
        for program in ("master", "pickup", "qmgr"):
            self.daemon(program)

    def new_pid(self) -> int:
        """Pids go up, with gaps for what else runs."""
        self._pid += 1 + int(self._random() * 9)
        return self._pid

    def daemon(self, program: str) -> int:
        """The pid of a program that has one process only."""
        if program not in self._daemons:
            self._daemons[program] = self.new_pid()
        return self._daemons[program]

    def pool(self, program: str) -> Processes:
        """The processes of a program."""
        if program not in self._pools:
            self._pools[program] = Processes(self.new_pid, DAY if program == "amavis" else MAX_IDLE)
        return self._pools[program]

    def once(self, t: int, program: str, text: str, busy: int = 0) -> None:
        """A line by some process of `program`, which is busy until `busy`."""
        pool = self.pool(program)
        worker = pool.take(t)
        self.log(t, f"postfix/{program}[{worker[0]}]: {text}")
        pool.give(worker, max(busy, t))

    def down(self, t: int) -> bool:
        """Whether Postfix is stopped at `t`."""
        return self.stops_at <= t < self.starts_at

    def next_up(self, t: int) -> int:
        """`t`, unless Postfix is stopped then or about to be: some time after it is back."""
        if self.stops_at - STOPPING <= t < self.starts_at:
            return self.starts_at + int(self._random() * 4 * MINUTE)
        return t

    def next_scan(self, t: int) -> int:
        """When the queue manager scans its deferred queue next, from `t` on; one file after the other."""
        waited = (self._scan - t) % QUEUE_SCAN
        return self.next_up(t + waited) + int(self._random() * 300_000)


@dataclass(frozen=True, slots=True)
class ActiveRule:
    """A story's rule with its hours as moments."""

    start: int
    end: int
    rule: Rule


class Site:
    """All servers, the agenda, the truth and the dice: what every part of the simulation works on."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.rng = Random(plan.seed)
        self.start = microseconds(plan.start)
        self.end = self.start + plan.days * DAY
        self.lifetime = int(plan.lifetime_days * DAY)
        self.truth = Ledger(folder, self.end)
        self.hosts = {host.name: Host(host, plan, folder, self.random) for host in plan.hosts}
        self.inbound = [host for host in self.hosts.values() if host.plan.inbound]
        self.outbound = [host for host in self.hosts.values() if host.plan.outbound]
        self.rules = [ActiveRule(self.hours(rule.start), self.hours(rule.end), rule) for rule in RULES]
        self.slow_filter = (self.hours(SLOW_FILTER[0]), self.hours(SLOW_FILTER[1]))
        self._agenda: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self._sequence = 0
        self._guest = Random(plan.seed + 1)
        self.guest_lines = 0  # that servers wrote because of a guest

    def random(self) -> float:
        """A throw of the dice, from 0 to below 1."""
        return self.rng.random()

    def hours(self, hours: float) -> int:
        """The moment so many hours after the first midnight."""
        return self.start + round(hours * HOUR)

    def at(self, t: int, action: Callable[..., None], *args: object) -> None:
        """Put `action(site, t, *args)` on the agenda; what is due at one moment happens in order of calls."""
        self._sequence += 1
        heappush(self._agenda, (t, self._sequence, action, args))

    @contextmanager
    def guest(self) -> Iterator[None]:
        """What happens within has dice, processes and queue files of its own: all else goes on as without it."""
        before, self.rng = self.rng, self._guest
        hosts = list(self.hosts.values())
        lines = sum(host.log_file.count for host in hosts)
        for host in hosts:
            host.swap_guest()
        yield
        for host in hosts:
            host.swap_guest()
            host.forget_guests_daemons()
        self.rng = before
        self.guest_lines += sum(host.log_file.count for host in hosts) - lines

    def run(self, until: int) -> None:
        """Everything that is due before `until`; then its lines can be written."""
        agenda = self._agenda
        while agenda and agenda[0][0] < until:
            t, _, action, args = heappop(agenda)
            action(self, t, *args)
        for host in self.hosts.values():
            host.log_file.flush(until)

    def between(self, low: int, high: int) -> int:
        """A duration from `low` to `high`, mostly short. A square needs no libm: the same everywhere."""
        share = self.random()
        return low + int(share * share * (high - low))

    def pick(self, choices: Sequence[T]) -> T:
        """One of them."""
        return choices[int(self.random() * len(choices))]

    def token(self, digits: int = 10) -> str:
        """Something like an id of a server elsewhere."""
        return f"{int(self.random() * 16**digits):0{digits}X}"

    def attempted(self, leg: Leg, t: int, dsn: str | None, relay: str | None) -> None:
        """A delivery line that counts as an attempt was logged."""
        if t < self.end:
            leg.attempts += 1
            row = leg.row
            row.attempts += 1
            row.enhanced_code = dsn
            row.relay = relay

    def settle(self, host: Host, row: Row, t: int, outcome: str) -> None:
        """A final address of `row` has met its fate, as the log of `host` says."""
        self.truth.settle(row, t, host.stamp(t), outcome)


# A kind of traffic: what happens at a moment on a server. `story` marks what is sent for a story only, `to`
# is the domain or the address that the story is about.
Kind = Callable[[Site, int, Host, str | None, str], None]
