"""Puts the stages together: fetch, record, plan, render, write, media, report."""
