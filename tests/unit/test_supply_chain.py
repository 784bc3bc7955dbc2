"""What coinlog is made of: nothing unasked for, nothing too new, nothing with a known hole."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # it has no types

from advisories import Advisories
from conftest import ROOT
from servers import free_port

AUDIT = ROOT / ".venv-audit" / "bin" / "pip-audit"
FOLDERS = ("frontend", "infra")
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
needs_audit = pytest.mark.skipif(not AUDIT.exists(), reason="make audit has not been run here")


def script(name: str, *arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / name), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a folder with all that the locks are and are made from."""
    (tmp_path / "scripts").mkdir()
    for name in ("scripts/lock.sh", "scripts/find_uv.sh", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for lock in ROOT.glob("requirements*.lock"):
        shutil.copy(lock, tmp_path)
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
        for name in NPM_FILES:
            shutil.copy(ROOT / folder / name, tmp_path / folder)
    return tmp_path


@pytest.fixture
def little(copied: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the same with but one lock of Python; npm remembers nothing from other tests."""
    monkeypatch.setenv("npm_config_cache", str(copied / "cache"))
    for lock in copied.glob("requirements*.lock"):
        if lock.name != "requirements-uv.lock":
            lock.unlink()
    return copied


def locking(folder: Path, **environment: str) -> Iterator[list[str]]:
    """Run scripts/lock.sh with commands that only write down what they are told."""
    tools = folder / "tools", folder / ".venv" / "bin"
    for where, name in zip(tools, ("uv", "npm"), strict=True):
        where.mkdir(parents=True)
        (where / name).write_text(f'#!/bin/sh\necho {name} "$@" >>"$SAID"\n')
        (where / name).chmod(0o755)
    said = folder / "said"
    path = {"PATH": f"{tools[0]}:{os.environ['PATH']}", "SAID": str(said)}
    given = {**os.environ, **path, **environment}
    subprocess.run(["sh", "scripts/lock.sh"], cwd=folder, env=given, check=True)  # noqa: S607
    yield from (line.split() for line in said.read_text().splitlines())


@pytest.mark.parametrize(("environment", "days"), [({}, 7), ({"COOLDOWN_DAYS": "0"}, 0)])
def test_nothing_younger_than_a_week_is_locked(
    copied: Path, environment: dict[str, str], days: int
) -> None:
    asked = list(locking(copied, **environment))
    until = [words[words.index(option) + 1] for words in asked for option in bounds(words)]
    age = datetime.now(UTC) - datetime.fromisoformat(until[0])

    assert [words[0] for words in asked].count("uv") == len(list(ROOT.glob("requirements*.lock")))
    assert [words[0] for words in asked].count("npm") == len(FOLDERS)
    assert (len(until), len(set(until))) == (len(asked), 1)
    assert timedelta(days=days) <= age < timedelta(days=days, minutes=5)
    assert all("--generate-hashes" in words for words in asked if words[0] == "uv")


def bounds(words: list[str]) -> list[str]:
    return [word for word in words if word in {"--exclude-newer", "--before"}]


def test_the_locks_are_of_what_is_asked_for(copied: Path) -> None:
    assert script("check_locks.py").stdout == ""
    assert script("check_locks.py", copied).returncode == 0


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("pyproject.toml", '"httptools>=0.6"', '"httptools>=99"', r"httptools==\S+ is not >=99"),
        ("pyproject.toml", '"rich>=13"', '"not-locked>=1"', "not-locked is asked for and not in"),
        ("requirements.lock", r"(httpx==\S+ )(\\\n    --hash\S+ ?)+", r"\1", "httpx==.* no hash"),
        ("requirements.lock", r"httpx==\S+", "httpx==0.28.99", "httpx has another version in"),
        ("scripts/lock.sh", r"compile --group uv .*", "", "requirements-uv.lock: scripts/lock.sh"),
        ("frontend/package.json", '"uplot": "1', '"uplot": "2', "are not those of package.json"),
        ("frontend/package-lock.json", "sha512-", "sha1-", "has no hash"),
        ("infra/package-lock.json", '"version"', '"resolved": "x", "version"', "fetched from"),
    ],
)
def test_a_lock_that_has_drifted_is_told(
    copied: Path, name: str, old: str, new: str, told: str
) -> None:
    text = (copied / name).read_text()
    drifted = re.sub(old if "\\" in old or "." in old else re.escape(old), new, text)
    assert drifted != text
    (copied / name).write_text(drifted)

    done = script("check_locks.py", copied)

    assert done.returncode == 1
    assert re.search(told, done.stdout), done.stdout
    assert "run make lock" in done.stderr


@needs_audit
def test_a_hole_that_is_known_is_told_and_fails(little: Path) -> None:
    with Advisories("uv", "uplot") as known:
        where = ("--osv-url", known.url, "--registry", known.url)
        done = script("audit.py", little, *where)

    assert done.returncode == 1
    assert re.search(r"uv [\d.]+: PYSEC-0000-1, mended in: 99 \(requirements-uv", done.stdout)
    assert "uplot: a hole that is made up, https://example.org/hole" in done.stdout
    assert {"uv", "uplot", "aws-cdk"} <= known.asked


@needs_audit
def test_where_nothing_is_known_the_audit_succeeds(little: Path) -> None:
    with Advisories() as known:
        done = script("audit.py", little, "--osv-url", known.url, "--registry", known.url)

    assert (done.returncode, "SKIPPED" in done.stdout) == (0, False)
    assert done.stdout.count(": 0 known holes") == 2


@needs_audit
@pytest.mark.parametrize(("options", "code"), [((), 0), (("--required",), 1)])
def test_silence_is_not_taken_for_no_hole(
    little: Path, options: tuple[str, ...], code: int
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/"
    done = script("audit.py", little, "--osv-url", nobody, "--registry", nobody, *options)

    assert done.returncode == code, done.stderr
    assert done.stdout.count("SKIPPED, nobody could be asked") == 2
    assert "known holes" not in done.stdout


@needs_audit
def test_a_lock_that_cannot_be_audited_is_no_silence(little: Path) -> None:
    (little / "requirements-uv.lock").write_text("uv==\n")
    with Advisories() as known:
        done = script("audit.py", little, "--osv-url", known.url, "--registry", known.url)

    assert done.returncode == 1
    assert "SKIPPED" not in done.stdout


def planted() -> dict[str, str]:
    """Return files with secrets, put together here so that none stands in this file."""
    word = "Vq83mRt5" + "Kx-ZZ10p"
    key, other = (start + "-1bca-4e8e-9a24-22ff2c3d462c" for start in ("c71ad03e", "f0c7a9d2"))
    kind, identity = "PRIVATE " + "KEY", "AKIA" + "C4WIXFJ3YS6GZ4JT"
    lines = "\n".join(("uFq7Vb1N" * 8)[number : number + 64] for number in range(4))
    return {
        "key.env": f"COINLOG_API_KEY={key}\n",
        "header.sh": f"curl -H 'X-CMC_PRO_API_KEY: {other}' localhost\n",
        "address.txt": f"mysql://coinlog:{word}@db.example.net/coinlog\n",
        "password.env": f"DB_PASSWORD='{word}'\n",
        "aws.py": f'aws_key_id = "{identity}"\nkey = "{"uFq7Vb1N" * 3}/b01K3tRpW+9aQz2"\n',
        "private.pem": f"-----BEGIN RSA {kind}-----\n{lines}\n-----END RSA {kind}-----\n",
    }


@needs_audit
def test_secrets_of_any_commit_are_found_and_not_shown(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(("git", *who, *arguments), cwd=tmp_path, check=True)  # noqa: S607

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "none")
    clean = script("scan_secrets.py", tmp_path)
    git("checkout", "--quiet", "-b", "another")
    for name, text in planted().items():
        (tmp_path / name).write_text(text)
    git("add", ".")
    git("commit", "--quiet", "--message", "some")
    git("rm", "--quiet", *planted())
    git("commit", "--quiet", "--message", "none again")
    git("checkout", "--quiet", "-")

    found = script("scan_secrets.py", tmp_path)

    assert (clean.returncode, clean.stdout) == (0, "")
    assert found.returncode == 1
    assert {line.partition(":")[0] for line in found.stdout.splitlines()} == planted().keys()
    assert "ZZ10p" not in found.stdout + found.stderr


def test_what_proposes_updates_waits_a_week_too() -> None:
    asked = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]

    assert {one["package-ecosystem"] for one in asked} >= {"github-actions", "pip", "npm", "docker"}
    assert all(one["cooldown"]["default-days"] >= 7 for one in asked)
    folders = {one["directory"] for one in asked if one["package-ecosystem"] == "npm"}
    assert folders == {f"/{folder}" for folder in FOLDERS}
