"""Packages that few need and that are large: loaded at first use, and missed with a remedy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from coinlog.errors import MissingPackageError

_ANSWER_SECONDS = 5
_THREE_TRIES = {"total_max_attempts": 3}


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


def aws_client(service: str) -> Any:  # noqa: ANN401  boto3 has no types
    """Return a client of an AWS service, which waits less than a function has time.

    Raises:
        MissingPackageError: boto3 is not installed.
    """
    wait = {"connect_timeout": _ANSWER_SECONDS, "read_timeout": _ANSWER_SECONDS}
    config = load_aws("botocore", "config").config.Config(**wait, retries=_THREE_TRIES)
    return load_aws("boto3").client(service, config=config)


def _load(package: str, parts: Sequence[str], remedy: str) -> ModuleType:
    try:
        for part in parts:
            import_module(f"{package}.{part}")
        return import_module(package)
    except ImportError as error:
        raise MissingPackageError(
            f"this needs {package}, which cannot be loaded ({error}): {remedy}"
        ) from error
