"""Backfill: the past from the source's own history, planned, asked for, kept and settled."""
