"""Findings, reports and cures as text and HTML."""
