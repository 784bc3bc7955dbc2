"""The page and the API: reading the store for people and programs, never writing to it."""
