"""Write logs of believable mail traffic, with the truth about every recipient beside them.

Without arguments: the checked-in sample. With --out: a log of any size, for tests and benchmarks.
The same arguments give the same bytes.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from simulator import SAMPLE, EximPlan, Part, Plan, farm, simulate


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write here instead of rewriting the sample")
    parser.add_argument("--hosts", type=int, default=2, help="number of servers (default: %(default)s)")
    parser.add_argument("--days", type=int, default=7, help="default: %(default)s")
    parser.add_argument(
        "--lines", type=int, default=20_000, help="of all logs together (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument(
        "--start", default="2026-11-02", metavar="DATE", help="first day, UTC (default: %(default)s)"
    )
    parser.add_argument(
        "--stamps", choices=("bsd", "rfc3339"), default="rfc3339", help="default: %(default)s"
    )
    parser.add_argument(
        "--lifetime-days", type=float, default=5.0, help="in the queue (default: %(default)s)"
    )
    parser.add_argument(
        "--exim",
        type=int,
        metavar="CONVERSATIONS",
        help="of an Exim server beside the others (default: there is none)",
    )
    parser.add_argument("--exim-all", action="store_true", help="which logs all that it can")
    ids = parser.add_mutually_exclusive_group()
    ids.add_argument("--long-ids", action="store_true", help="queue ids like 4cDCnd66Hyz1XPW")
    ids.add_argument("--short-ids", action="store_true", help="queue ids like 23DE741A20 (default)")
    return parser.parse_args()


def main() -> None:
    """Rewrite the sample, or write what was asked for."""
    args = arguments()
    if args.out is None:
        simulate(SAMPLE, Path(__file__).parent)
        return
    exim_log = Part("mainlog", stamps="exim-all" if args.exim_all else "exim")
    plan = Plan(
        hosts=farm(args.hosts, args.stamps, long_ids=args.long_ids),
        start=datetime.fromisoformat(args.start).replace(tzinfo=UTC),
        days=args.days,
        lines=args.lines,
        seed=args.seed,
        lifetime_days=args.lifetime_days,
        exim=EximPlan("ex1", "192.0.2.40", (exim_log,), args.exim) if args.exim else None,
    )
    simulate(plan, args.out)


if __name__ == "__main__":
    main()
