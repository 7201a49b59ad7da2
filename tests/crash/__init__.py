"""Proofs of the send path that are too long for every change: `make prove` runs them, pytest doesn't (scripts/prove.py).

One short module per proof. Each sends with real worker processes on a real PostgreSQL to a vendor that writes down what it accepts
before it answers, breaks something on purpose, and holds the instance's ledger against that record.
"""
