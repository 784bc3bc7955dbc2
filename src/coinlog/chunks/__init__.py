"""The record in files of a month each: what charts are drawn from, live and published alike."""
