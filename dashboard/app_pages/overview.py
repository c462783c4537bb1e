"""Now: is mail flowing, and if not, what do I do first?"""

import streamlit as st

from dashboard import charts, data, filters, ui

FULL = 4  # problems shown whole; the rest waits in an expander
span, window = data.span(), filters.window()
problems = data.find_problems(window)
now, before = data.numbers(window), data.numbers(window.before)
course = data.course(window)
domain = (round(window.since.timestamp() * 1000), round(window.until.timestamp() * 1000))
theme, step = ui.theme(), ui.step_name(window.step_s)

ui.verdict(data.headline(problems, now["recipients"]), span)
ui.freshness(span)
ui.silence(span)
ui.cards(now, before, course, window.until)

left, right = st.columns([2, 3], gap="large")
with left:
    ui.section(f"What to do first ({len(problems)})", "problems")
    for problem in problems[:FULL]:
        ui.finding(problem, data.query_of(problem))
    if problems[FULL:]:
        with st.expander(f"{len(problems) - FULL} more", on_change="rerun", key="more") as more:
            for problem in problems[FULL:] if more.open else ():
                ui.finding(problem, data.query_of(problem))
    if not problems:
        st.text("Nothing needs attention in this time.")
with right:
    for title, outcomes, height in (
        ("Not delivered", ("deferred", "expired", "bounced"), 170),
        ("All recipients", ("delivered", "deferred", "expired", "bounced", "other"), 130),
        ("Rejected at the door", ("rejected",), 90),
    ):
        ui.section(f"{title}, per {step}", "traffic_over_time")
        ui.legend(outcomes)
        spec = charts.stacked(outcomes, theme, domain, window.step_s, height)
        ui.chart(course[["bucket_at", *outcomes]], spec, f"{title} over time")
    ui.section(f"Delay of delivered mail, per {step}", "delay_over_time")
    ui.lines_legend()
    delays = course[["bucket_at", "p50_delay_s", "p95_delay_s"]]
    ui.chart(delays, charts.delays(theme, domain, window.step_s, 150), "Delay percentiles over time")

ui.section("Where it fails", "outcomes_by")
ui.destinations(data.failing_destinations(window))
