"""Starts the server. Imports Streamlit only when asked to: the front door's other commands do not wait for it."""

import ipaddress
import os
import sys
from pathlib import Path
from typing import Final

_SERVE: Final = Path(__file__).with_name("serve.py")
LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")


def serve(
    lake: Path,
    port: int = 8501,
    address: str = "127.0.0.1",
    *,
    open_browser: bool = False,
    config: Path | None = None,
) -> None:
    """Serves the dashboard of a lake until it is stopped with Ctrl-C; opens a browser once it answers, if asked to.

    `config` is the site's file, if it does not lie where it is looked for. Theme and defaults come from
    .streamlit/config.toml beside serve.py; what must not be overridden by another configuration file or the environment
    is given as flags.
    """
    from streamlit.web import cli  # noqa: PLC0415  # half a second that only this command should take

    os.environ["MAILSCOPE_LAKE"] = str(lake.resolve())
    if config:
        os.environ["MAILSCOPE_CONFIG"] = str(config.resolve())
    print(f"Dashboard on http://{address}:{port}, until Ctrl-C", file=sys.stderr)  # noqa: T201  # a diagnostic
    if not is_loopback(address):
        print(  # noqa: T201  # a diagnostic, before any server is there
            f"Anyone who reaches {address}:{port} can read what the mail logs say, and add messages: put a proxy that asks for a password before it.",
            file=sys.stderr,
        )
    cli.main(
        ["run", str(_SERVE), *_flags(port, address, open_browser=open_browser)],
        prog_name="mailscope dashboard",
    )


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


def _flags(port: int, address: str, *, open_browser: bool) -> list[str]:
    # Which names a server that listens to the world is called by is the proxy's business; "*" takes them all.
    hosts = LOOPBACK_NAMES if is_loopback(address) else ("*",)
    return [
        f"--server.port={port}",
        f"--server.address={address}",
        f"--server.headless={str(not open_browser).lower()}",
        "--server.showEmailPrompt=false",
        "--server.enableAgentApi=false",
        "--logger.hideWelcomeMessage=true",  # and, with it, Streamlit's offers to developers
        "--browser.gatherUsageStats=false",
        "--client.showErrorDetails=none",
        *(f"--server.allowedHosts={host}" for host in hosts),
    ]
