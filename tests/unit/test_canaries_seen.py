"""What looks for canaries finds them in every form, and inside what is packed."""

from __future__ import annotations

import base64
import gzip
import html
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from canaries import KEY, PASSWORD, WORD, files_with, seen


@pytest.mark.parametrize("secret", [KEY, PASSWORD, WORD])
@pytest.mark.parametrize(
    "written",
    [
        str,
        lambda text: text[:14],
        lambda text: json.dumps({"said": text}),
        html.escape,
        lambda text: quote(text, safe=""),
        lambda text: base64.b64encode(f"a user:{text} and more".encode()).decode(),
        lambda text: base64.urlsafe_b64encode(f"user:{text} and more".encode()).decode(),
        lambda text: base64.b64encode(f"{text}: so it begins".encode()).decode(),
        lambda text: text.encode().hex(),
        repr,
    ],
)
def test_a_secret_is_seen_in_every_form(secret: str, written: Callable[[str], str]) -> None:
    assert seen(f"before {written(secret)} behind") == [secret]
    assert seen("before and behind, and a word") == []


def test_a_secret_is_seen_in_what_is_packed(tmp_path: Path) -> None:
    (tmp_path / "body.json.gz").write_bytes(gzip.compress(f'{{"it": "{KEY}"}}'.encode()))
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        tar.add(tmp_path / "body.json.gz", "body")
    (tmp_path / "clean.gz").write_bytes(gzip.compress(b"nothing"))

    assert [line.partition(":")[0] for line in files_with(tmp_path)] == ["all.tar", "body.json.gz"]
