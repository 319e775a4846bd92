"""Measurements of the real thing under load; each file says how it is run."""
