"""What may be chosen about coinlog on AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HOUR = 3600


@dataclass(frozen=True)
class Options:
    """The choices of a deployment; each default is the one to begin with."""

    name: str = "coinlog"
    interval_seconds: int = 6 * HOUR
    assets: str = "top:200"
    engine: Literal["mysql", "mariadb"] = "mysql"
    shape: Literal["page", "edition"] = "page"
    architecture: Literal["arm64", "x86_64"] = "arm64"
    domain: str | None = None
    hosted_zone: str | None = None
    public: bool = False
    admitted: tuple[str, ...] = ()
    email: str | None = None
    database_class: str = "db.t4g.micro"
    min_tasks: int = 1
    max_tasks: int = 4
    keep_data: bool = True
