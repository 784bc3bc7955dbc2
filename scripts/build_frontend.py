"""Bundle the page's scripts and styles into the package, under names that tell their content.

Reads ``frontend/src`` and ``frontend/assets`` (copied as they are); writes
``src/coinlog/web/static/`` with a ``manifest.json`` such as ``{"main.js": "main-K3J5QZ2A.js"}``.
Each file has its packed form beside it (``.gz``). A file's name changes with its content, so
browsers may keep it for ever. The letters of pictures made on the server go into ``fonts/`` beside
them, which is not served. Run by ``make setup``; needs ``frontend/node_modules`` and Node in
``.venv``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import zopfli.gzip  # type: ignore[import-untyped]  # it has no types

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
STATIC = ROOT / "src" / "coinlog" / "web" / "static"
ESBUILD = (str(Path(sys.executable).parent / "node"), "node_modules/esbuild/bin/esbuild")
PACKED = ".gz"
OPTIONS = (
    *("--bundle", "--minify", "--target=es2020", "--log-level=warning"),
    *("--entry-names=[name]-[hash]", "--chunk-names=[name]-[hash]"),
)
# Modules may share chunks and load further ones when needed; what comes before the first paint is
# a classic script, because those alone do.
BUNDLES = (
    ("src/main.ts", "src/style.css", "src/rare.css", "--format=esm", "--splitting"),
    ("src/early.ts", "--format=iife"),
)
INTER = FRONTEND / "node_modules" / "@expo-google-fonts" / "inter"
FONTS = ("LICENSE_FONT", "400Regular/Inter_400Regular.ttf", "600SemiBold/Inter_600SemiBold.ttf")


def bundle(arguments: tuple[str, ...], folder: Path) -> dict[str, str]:
    """Run esbuild into a folder and return logical names with the hashed ones.

    The chunks that the entries begin with are among them, so that pages can announce them: else
    they would be found only after the entries have come.
    """
    meta = folder / "meta.json"
    into = (f"--outdir={folder}", f"--metafile={meta}")
    command = (*ESBUILD, *arguments, *OPTIONS, *into)
    if subprocess.run(command, cwd=FRONTEND, check=False).returncode:  # noqa: S603 -- our own, pinned esbuild
        sys.exit("esbuild refused the page's scripts or styles: it said why above")
    outputs = json.loads(meta.read_bytes())["outputs"].items()
    meta.unlink()
    sources = {Path(argument).as_posix() for argument in arguments}
    entries = {name: out for name, out in outputs if out.get("entryPoint") in sources}
    named = {
        Path(out["entryPoint"]).stem + Path(name).suffix: Path(_content_of(name, out)).name
        for name, out in entries.items()
    }
    beginnings = set(_beginnings(entries, dict(outputs))) - set(named.values())
    return named | {name: name for name in sorted(beginnings)}


def _content_of(name: str, output: dict[str, Any]) -> str:
    """Return an output, or the one that it does nothing but import: pages ask for that at once."""
    imported = [one["path"] for one in output["imports"] if one["kind"] == "import-statement"]
    return imported[0] if not output["inputs"] and len(imported) == 1 else name


def _beginnings(entries: dict[str, Any], outputs: dict[str, Any]) -> list[str]:
    """Return the names of the chunks that are loaded with the entries."""
    found: dict[str, None] = {}
    waiting = list(entries.values())
    while waiting:
        for part in waiting.pop()["imports"]:
            if part["kind"] == "import-statement" and Path(part["path"]).name not in found:
                found[Path(part["path"]).name] = None
                waiting.append(outputs[part["path"]])
    return sorted(found)


def copy_assets(folder: Path) -> dict[str, str]:
    """Copy the ready files (icons) into a folder and return their names likewise."""
    names = {}
    for asset in sorted((FRONTEND / "assets").glob("*.*")):
        digest = hashlib.sha256(asset.read_bytes()).hexdigest()[:8].upper()
        names[asset.name] = f"{asset.stem}-{digest}{asset.suffix}"
        shutil.copyfile(asset, folder / names[asset.name])
    return names


def copy_fonts(folder: Path) -> None:
    """Copy the font of the pictures, with its licence, so that they look alike on every machine."""
    folder.mkdir()
    for name in FONTS:
        shutil.copy(INTER / name, folder)


def pack(folder: Path) -> None:
    """Put each file's packed form beside it: made once, it may take its time and be small."""
    for path in (*folder.glob("*.js"), *folder.glob("*.css"), *folder.glob("*.svg")):
        packed = zopfli.gzip.compress(path.read_bytes())
        path.with_name(f"{path.name}{PACKED}").write_bytes(packed)


def main() -> None:
    """Build beside the old bundle and swap: a page that is being served never loses its files."""
    fresh = STATIC.with_name("static.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    copy_fonts(fresh / "fonts")
    names = copy_assets(fresh)
    for arguments in BUNDLES:
        names |= bundle(arguments, fresh)
    pack(fresh)
    (fresh / "manifest.json").write_text(json.dumps(names, indent=2, sort_keys=True) + "\n")
    shutil.rmtree(STATIC, ignore_errors=True)
    fresh.rename(STATIC)


if __name__ == "__main__":
    main()
