"""The frame of every page: navigation, filter bar, and what to say when there is nothing to show."""

from pathlib import Path

import streamlit as st

from dashboard import data, filters, ui

st.set_page_config(
    page_title="mailscope", page_icon=str(Path(__file__).with_name("favicon.png")), layout="wide"
)
pages = [
    st.Page("app_pages/overview.py", title="Now", default=True),
    st.Page("app_pages/trace.py", title="Trace"),
    st.Page("app_pages/headers.py", title="Headers"),
]
page = st.navigation(pages, position="top")


@st.fragment(run_every="60s")
def watch() -> None:
    """Draws the page again when an ingest has changed the lake."""
    seen = st.session_state.setdefault("_version", data.version())
    if data.version() != seen:
        st.session_state["_version"] = data.version()
        st.rerun()


state = data.state()
if page.url_path == "headers":  # a message says enough by itself
    page.run()
elif state == data.LakeState.READY:
    span = data.span()
    try:
        if page.url_path != "trace":  # a search goes through the whole lake
            filters.bar(span)
        page.run()
    except data.TooSlowError:
        ui.too_slow(data.TIME_LIMIT_S)
else:
    ui.no_lake(state, data.lake_path())
watch()
