"""Adopting what people already have: tables, files and saved answers become attempts."""
