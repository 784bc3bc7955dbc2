"""Who is handed what by compose.yaml: what a stolen container would have."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it has no types

from containers import ROOT

HANDED = {
    "database": {"root_password", "recorder_password", "page_password"},
    "recorder": {"recorder_database"},
    "page": {"page_database"},
}


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return read


def test_each_service_is_handed_its_own_secrets_alone(composed: dict[str, Any]) -> None:
    services = composed["services"]

    assert {name: set(one["secrets"]) for name, one in services.items()} == HANDED
    keyed = yaml.safe_load((ROOT / "compose" / "key.yaml").read_text())["services"]
    assert {name: set(one["secrets"]) for name, one in keyed.items()} == {
        "recorder": {"recorder_database", "api_key"}
    }


def test_the_page_has_no_archive_and_the_database_no_way_out(composed: dict[str, Any]) -> None:
    page, database = composed["services"]["page"], composed["services"]["database"]

    assert "volumes" not in page
    assert database["networks"] == ["store"]
    assert "ports" not in database
    assert composed["networks"]["store"] == {"internal": True}
    assert page["ports"] == ["${PAGE_ADDRESS:-127.0.0.1:4000}:5000"]


def test_what_coinlog_runs_in_may_write_nothing_and_gain_nothing(composed: dict[str, Any]) -> None:
    for name in ("recorder", "page"):
        service = composed["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_page_s_user_is_granted_reading_alone() -> None:
    granted = re.findall(r"GRANT (.+?) ON .*coinlog_page", (ROOT / "compose/users.sh").read_text())

    assert granted == ["SELECT"]
