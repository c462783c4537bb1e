"""The clock: a quarter of an hour after the other, with as much traffic as the plan's lines ask for."""

from datetime import timedelta
from pathlib import Path

from .exim import Exim
from .housekeeping import ANVIL_PERIOD, anvil, starting, stopping
from .inbound import inbound
from .outbound import purge, submission
from .plan import EPOCH, MINUTE, SECOND, Plan
from .site import Site
from .stories import BURSTS, HIJACK_ENDS, NIGHTLY, Burst
from .traffic import HOURLY, KINDS, WEEKDAY, Mix
from .world import OUR_DOMAIN

SLOT = 15 * MINUTE
QUIET_END = 90 * SECOND  # new conversations stop a little before the log does: few mails are torn in two
LINES_PER_ARRIVAL = 12.0  # about; each slot makes good what the ones before had too little or too much
SAMPLE_LINES_PER_DAY = 20_000 / 7
SCALE = (0.05, 25.0)  # stories grow with the log, within reason


def simulate(plan: Plan, folder: Path) -> None:
    """Write <folder>/<host>/mail.log for every host of the plan, and the truth beside them."""
    site = Site(plan, folder)
    scale = min(max(plan.lines / plan.days / SAMPLE_LINES_PER_DAY, SCALE[0]), SCALE[1])
    schedule(site, scale)
    exim = Exim(site, plan.exim, folder) if plan.exim else None
    if exim:
        exim.schedule(rhythm)
    run(site, scale)
    for host in site.hosts.values():
        host.log_file.close()
    if exim:
        exim.log_file.close()
    site.truth.close()


def schedule(site: Site, scale: float) -> None:
    """Everything that has its hour: stories, nightly batch, stops and starts, statistics, the last second."""
    for burst in (*BURSTS, *NIGHTLY):
        for _ in range(max(1, round(burst.count * scale))):
            start(site, burst)
    for host in site.inbound:
        site.at(site.start + ANVIL_PERIOD // 2 + site.between(0, MINUTE), anvil, host)
        site.at(site.end - site.between(SECOND // 2, SECOND), inbound, host, None, "")
        if host.plan.outage:
            site.at(host.stops_at, stopping, host)
            site.at(host.starts_at, starting, host)
            site.at(
                host.stops_at + 2 * MINUTE, submission, site.outbound[0], None, f"anna.keller@{OUR_DOMAIN}"
            )
    for host in site.outbound:
        site.at(site.hours(HIJACK_ENDS) + site.between(0, MINUTE), purge, host)
        for _ in range(2):
            site.at(site.end - site.between(SECOND // 2, SECOND), submission, host, None, "megamail.example")


def start(site: Site, burst: Burst) -> None:
    """One occurrence of a burst, at a random moment of its hours."""
    begin, end = site.hours(burst.start), site.hours(burst.end)
    t = begin + int(site.random() * (end - begin))
    if site.outbound and t < site.end - QUIET_END:
        site.at(t, KINDS[burst.kind], site.pick(site.outbound), burst.story, burst.to)


def reserved(site: Site, scale: float, t: int) -> float:
    """About how many lines the bursts will still bring after `t`."""
    lines = 0.0
    for burst in (*BURSTS, *NIGHTLY):
        begin, end = site.hours(burst.start), site.hours(burst.end)
        to_come = max(0, min(end, site.end) - max(begin, t)) / (end - begin)
        lines += burst.count * scale * burst.lines * to_come
    return lines


def run(site: Site, scale: float) -> None:
    """Slot by slot: what is still to be written is spread over the time that is left, by the daily rhythm."""
    mix = Mix(site)
    slots = range(site.start, site.end, SLOT)
    left = sum(rhythm(slot) for slot in slots)
    due = 0.0
    for slot in slots:
        written = sum(host.log_file.count for host in site.hosts.values()) - site.guest_lines
        missing = site.plan.lines - written - reserved(site, scale, slot)
        due += max(0.0, missing) * rhythm(slot) / left / LINES_PER_ARRIVAL
        for t in sorted(slot + int(site.random() * SLOT) for _ in range(int(due))):
            arrive(site, mix, t)
        due %= 1
        site.run(slot + SLOT)
        left -= rhythm(slot)


def arrive(site: Site, mix: Mix, t: int) -> None:
    """Something ordinary happens at `t`."""
    host, kind = mix.pick(site)
    t = host.next_up(t)
    if t < site.end - QUIET_END:
        site.at(t, kind, host, None, "")


def rhythm(t: int) -> int:
    """How busy the hour is that `t` is in."""
    moment = EPOCH + timedelta(microseconds=t)
    return HOURLY[moment.hour] * WEEKDAY[moment.weekday()]
