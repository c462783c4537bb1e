"""A seeded simulator of Postfix mail traffic: believable logs, and the truth beside them.

Layers, lowest first: plan, providers, world and stories (data); queueids, logfile, truth, mail; site (servers
and agenda); smtpd (in); routing, lines, mailboxes, handoffs, smtp, qmgr (out); people, abuse, inbound, outbound,
housekeeping, traffic (who does what); engine (when). Imports point down.
"""

from .engine import simulate
from .plan import SAMPLE, HostPlan, Part, Plan, farm

__all__ = ["SAMPLE", "HostPlan", "Part", "Plan", "farm", "simulate"]
