"""The workflows: what they may do, and their steps as far as they run without GitHub and AWS."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it has no types

from containers import ROOT

FOLDER = ROOT / ".github" / "workflows"
NAMES = sorted(path.name for path in FOLDER.iterdir())
DIGEST = "python:3.13-slim@sha256:" + "0" * 64


def workflow(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return read


def steps(name: str) -> Iterator[dict[str, Any]]:
    for job in workflow(name)["jobs"].values():
        yield from job.get("steps", ())


def script(name: str, title: str) -> str:
    return next(str(step["run"]) for step in steps(name) if title in step.get("name", ""))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_permitted_but_what_a_job_says(name: str) -> None:
    jobs = workflow(name)["jobs"]

    assert workflow(name)["permissions"] == {}
    assert all("permissions" in job for job in jobs.values())
    granted = {right for job in jobs.values() for right in job["permissions"].items()}
    assert granted <= {("contents", "read"), ("id-token", "write")}
    if name == "ci.yml":
        assert ("id-token", "write") not in granted


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_by_commit_and_no_key_is_stored(name: str) -> None:
    text = (FOLDER / name).read_text()
    actions = re.findall(r"uses: ([^.\s].*)", text)

    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in actions)
    assert "secrets." not in text


def test_the_base_is_pinned_by_digest_in_what_is_deployed(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Dockerfile", tmp_path)
    given = {**os.environ, "BASE": DIGEST, "OPTIONS": 'shape = "edition"'}
    pin = script("to-aws.yml", "by its digest")
    subprocess.run(("bash", "-euo", "pipefail", "-c", pin), cwd=tmp_path, env=given, check=True)  # noqa: S607

    assert f"ARG BASE_IMAGE={DIGEST}\n" in (tmp_path / "Dockerfile").read_text()
    assert (tmp_path / "deploy.toml").read_text() == 'shape = "edition"\n'


@pytest.mark.parametrize(("release", "before"), [("v1.1.0", "v1.0.0"), ("v1.0.0", "")])
def test_the_release_before_is_the_tag_before(tmp_path: Path, release: str, before: str) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(("git", *who, *arguments), cwd=tmp_path, check=True)  # noqa: S607

    git("init", "--quiet")
    for tag in ("v1.0.0", "not-a-release", "v1.1.0"):
        git("commit", "--quiet", "--allow-empty", "--message", tag)
        git("tag", tag)
    given = {**os.environ, "RELEASE": release, "GITHUB_OUTPUT": str(tmp_path / "output")}
    find = script("deploy.yml", "the one before it")
    subprocess.run(("bash", "-euo", "pipefail", "-c", find), cwd=tmp_path, env=given, check=True)  # noqa: S607

    assert (tmp_path / "output").read_text() == f"release={release}\nbefore={before}\n"
