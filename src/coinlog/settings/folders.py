"""Where coinlog keeps its data unless told otherwise."""

from __future__ import annotations

import tomllib
from pathlib import Path

import platformdirs


def default_data() -> Path:
    """Return ``data`` in the checkout we are in or run from, else the platform's data folder."""
    for folder in (Path.cwd(), Path(__file__).resolve().parents[3]):
        if _is_checkout(folder):
            return folder / "data"
    return platformdirs.user_data_path("coinlog", appauthor=False)


def _is_checkout(folder: Path) -> bool:
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(project.get("project", {}).get("name") == "coinlog")
