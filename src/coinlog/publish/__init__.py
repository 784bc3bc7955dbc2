"""The static edition: pages and data as files that any static host serves."""
