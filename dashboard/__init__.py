"""Answers to pictures: the Streamlit dashboard."""
