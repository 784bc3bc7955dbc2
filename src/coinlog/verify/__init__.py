"""Verifying: the store against the archive, number by number; the archive against its hashes."""
