"""Backups: the store and the archive in one file, proven before anybody relies on it."""
