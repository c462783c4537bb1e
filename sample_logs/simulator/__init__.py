"""A seeded simulator of Postfix' and Exim's mail traffic: believable logs, and the truth beside them.

Layers, lowest first: plan, providers, world and stories (data); queueids, logfile, truth, mail; site (servers
and agenda); smtpd (in); routing, lines, mailboxes, handoffs, smtp, qmgr (out); people, abuse, inbound, outbound,
housekeeping, traffic (who does what); eximlines and exim (a server of its own); engine (when). Imports point down.
"""

from .engine import simulate
from .plan import SAMPLE, EximPlan, HostPlan, Part, Plan, farm

__all__ = ["SAMPLE", "EximPlan", "HostPlan", "Part", "Plan", "farm", "simulate"]
