"""The server: Streamlit's own, with compression, a content security policy, a health check and a warm start."""

import base64
import gc
import hashlib
import logging
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.starlette import App

_LOG: Final = logging.getLogger("mailscope.dashboard")


def policy() -> str:
    """What the browser may load: only from here. The one inline script of Streamlit's page is allowed by its hash."""
    index = Path(st.__file__).parent / "static" / "index.html"
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", index.read_text("utf-8"), re.DOTALL)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
        f"script-src 'self' 'wasm-unsafe-eval' {hashes}; connect-src 'self' ws: wss:; font-src 'self' data:; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )


class SafeHeaders:
    """Adds the headers that keep a forgotten escape from reaching another host."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = {
            "Content-Security-Policy": policy(),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on; answers to HTTP requests get the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


async def healthz(_request: Request) -> Response:
    """For a monitor: the server answers."""
    return PlainTextResponse("ok\n")


def plain_words(error: Exception) -> bool:
    """One neutral sentence on the page; what happened is in the server's log, because it may quote a mail log."""
    number = uuid.uuid4().hex[:8]
    _LOG.error("error %s", number, exc_info=error)
    st.error(f"Something went wrong here. The server's log says more: look for error {number}.")
    return True


@asynccontextmanager
async def warm_up(_app: App) -> AsyncIterator[None]:
    """Loads libraries and asks the first questions before a visitor waits, and spares the collector from walking them.

    Streamlit collects garbage after every run of a page; with pandas and Altair loaded that took half of it.
    """
    from dashboard import charts, data, filters, stories  # noqa: F401, PLC0415  # after the configuration is read

    try:
        if data.state() == data.LakeState.READY:
            data.warm(filters.default_window(data.span()))
    except Exception:  # the page will say it in its own words
        _LOG.exception("warm-up")
    gc.collect()
    gc.freeze()
    yield


app = App(
    Path(__file__).with_name("app.py"),
    lifespan=warm_up,
    middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=5), Middleware(SafeHeaders)],
    routes=[Route("/healthz", healthz)],
    on_script_error=plain_words,
)
