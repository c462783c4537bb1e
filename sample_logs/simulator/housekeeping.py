"""What servers log about themselves: stops and starts, statistics, operators at work."""

from .logfile import bsd
from .plan import HOUR, MINUTE, SECOND
from .site import MS, Host, Site

ANVIL_PERIOD = 4 * HOUR


def stopping(site: Site, t: int, host: Host) -> None:
    """`systemctl stop postfix`, before an upgrade."""
    host.log(t, f"postfix/postfix-script[{host.new_pid()}]: stopping the Postfix mail system")
    host.log(t + 4 * MS, f"postfix/master[{host.daemon('master')}]: terminating on signal 15")


def starting(site: Site, t: int, host: Host) -> None:
    """The server boots: all processes are new."""
    host.restart()
    version = host.log_file.part_at(t).postfix
    host.log(
        t - 2 * SECOND,
        "systemd[1]: Starting postfix@-.service - Postfix Mail Transport Agent (instance -)...",
    )
    host.log(
        t - SECOND,
        "dovecot: master: Dovecot v2.3.19.1 (9b53102964) starting up for imap, lmtp (core dumps disabled)",
    )
    host.log(t, f"postfix/postfix-script[{host.new_pid()}]: starting the Postfix mail system")
    started = f"daemon started -- version {version}, configuration /etc/postfix"
    host.log(t + 30 * MS, f"postfix/master[{host.daemon('master')}]: {started}")


def anvil(site: Site, t: int, host: Host) -> None:
    """anvil(8) sums up its recent life: the moments in the text are older than the line."""
    t = host.next_up(t)
    peer, when = host.last_client
    if t - 30 * MINUTE < when < t:
        tag = f"postfix/anvil[{host.new_pid()}]: statistics: max"
        at = f"at {bsd(when // SECOND)}"
        host.log(t, f"{tag} connection rate {1 + int(site.random() * 4)}/60s for (smtpd:{peer}) {at}")
        host.log(t, f"{tag} connection count 1 for (smtpd:{peer}) {at}")
        host.log(t, f"{tag} cache size {2 + int(site.random() * 7)} {at}")
    site.at(t + ANVIL_PERIOD, anvil, host)
