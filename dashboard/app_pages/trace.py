"""Trace: did it arrive, and if not, who stopped it and why?"""

import streamlit as st

from dashboard import data, stories

span = data.span()
query = stories.search_box()
key = st.query_params.get(stories.MESSAGE)
found = data.search(query) if query else None

if found and found.keys:
    stories.found_line(found, span)
    key = stories.pick_message(found, query)
    stories.remember(found, key)
elif found and found.refusals.empty:
    stories.no_match(found, span)
    key = None
elif found:
    stories.found_line(found, span)
    key = None

told = data.story(key) if key else None
if told:
    stories.whole_story(told, str(key))
elif key:
    stories.gone(span)
elif not query:
    stories.how_to_search(span)
if found:
    stories.refusals(found)
