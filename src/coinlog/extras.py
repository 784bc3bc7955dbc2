"""Packages that few need and that are large: loaded at first use, and missed with a remedy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from coinlog.errors import MissingPackageError


def load(package: str, *parts: str) -> ModuleType:
    """Return an optional package, with the parts of it that are used.

    Raises:
        MissingPackageError: it is not installed.
    """
    return _load(package, parts, "run `make data` in the checkout, or pip install 'coinlog[data]'")


def load_aws(package: str, *parts: str) -> ModuleType:
    """Return a package of AWS, with the parts of it that are used; in Lambda it is there already.

    Raises:
        MissingPackageError: it is not installed.
    """
    # At its finest it logs whole answers and what it signs, secrets and all.
    logging.getLogger("botocore").setLevel(logging.INFO)
    return _load(package, parts, "pip install 'coinlog[aws]'")


def _load(package: str, parts: Sequence[str], remedy: str) -> ModuleType:
    try:
        for part in parts:
            import_module(f"{package}.{part}")
        return import_module(package)
    except ImportError as error:
        raise MissingPackageError(
            f"this needs {package}, which cannot be loaded ({error}): {remedy}"
        ) from error
