"""Packages that few need and that are large: loaded at first use, and missed with a remedy."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from coinlog.errors import MissingPackageError


def load(package: str, *parts: str) -> ModuleType:
    """Return an optional package, with the parts of it that are used.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        for part in parts:
            import_module(f"{package}.{part}")
        return import_module(package)
    except ImportError as error:
        raise MissingPackageError(
            f"this needs {package}, which cannot be loaded ({error}): run `make data` in the "
            "checkout, or pip install 'coinlog[data]'"
        ) from error
