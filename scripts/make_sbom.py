"""List what coinlog is made of: ``dist/coinlog.cdx.json`` (CycloneDX) and ``dist/licences.txt``.

What is installed beside coinlog in the image comes from ``requirements-aws.lock``, what the page's
bundle is made of from ``frontend/package-lock.json``. Packages that are needed to build or to test
are in neither. Both lists are the same whenever the locks are. Run by ``make sbom``.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
NODE_MODULES = ROOT / "frontend" / "node_modules"
TEXTS = ("LICEN", "COPYING", "NOTICE")
BUILD_TOOLS = {"esbuild"}
"""Listed beside what is bundled, but not in the bundle."""
UNDECLARED = {"resvg_py": "MIT"}
"""What declares no licence by name comes with the text of this one."""

Component = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A package and the licence that it comes under."""

    name: str
    version: str
    licence: str
    texts: tuple[str, ...]


def main(target: Path = DIST) -> None:
    """Write both lists into a folder."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        environment = _installed(Path(folder, "environment"))
        bill = _bill_of(environment)
        parts = [*_python_parts(environment, bill["components"]), *_npm_parts()]
    bill["components"] += [_component(*found) for found in _bundled()]
    licences = {part.name: part.licence for part in parts}
    for component in bill["components"]:
        if not component.get("licenses"):
            component["licenses"] = [{"license": {"name": licences[component["name"]]}}]
    text = json.dumps(bill, indent=2, sort_keys=True) + "\n"
    (target / "coinlog.cdx.json").write_text(text, encoding="utf-8")
    (target / "licences.txt").write_text(_licences(parts), encoding="utf-8")


def _installed(folder: Path) -> Path:
    """Return an environment with what the image installs."""
    uv = subprocess.check_output([ROOT / "scripts" / "find_uv.sh"], cwd=ROOT, text=True).strip()  # noqa: S603  our own
    venv = ("venv", "--quiet", "--no-project", "--python", sys.executable, str(folder))
    lock = ("--require-hashes", "--requirement", "requirements-aws.lock")
    for words in (venv, ("pip", "install", "--quiet", "--python", str(folder), *lock)):
        subprocess.run((uv, *words), cwd=ROOT, check=True)  # noqa: S603  our own
    return folder


def _bill_of(environment: Path) -> dict[str, Any]:
    command = (Path(sys.executable).with_name("cyclonedx-py"), "environment", environment)
    options = (
        "--pyproject",
        "pyproject.toml",
        "--output-reproducible",
        "--no-validate",
        "--sv",
        "1.6",
    )
    done = subprocess.check_output((*command, *options), cwd=ROOT, stderr=subprocess.DEVNULL)  # noqa: S603  our own
    bill: dict[str, Any] = json.loads(done)
    return bill


def _python_parts(environment: Path, components: list[Component]) -> Iterator[Part]:
    declared = {one["name"]: _declared(one) for one in components}
    for package in distributions(path=[str(next(environment.glob("lib/python3*/site-packages")))]):
        name = package.metadata["Name"]
        licence = declared[name] or package.metadata["License"] or UNDECLARED.get(name)
        if not licence:
            sys.exit(f"{name} declares no licence: look at it, and add it to UNDECLARED")
        yield Part(name, package.version, licence, tuple(_texts(package)))


def _declared(component: Component) -> str:
    """Return a component's licences as one expression, an SPDX one where it has one."""
    found = [
        one.get("expression") or one["license"].get("id") or one["license"].get("name", "")
        for one in component.get("licenses", ())
    ]
    return ", ".join(dict.fromkeys(name.rpartition(":: ")[2] for name in found))


def _texts(package: Distribution) -> Iterator[str]:
    for file in package.files or ():
        is_own = ".dist-info" in file.parts[0]
        if is_own and any(file.name.upper().startswith(name) for name in TEXTS):
            yield Path(str(file.locate())).read_text(encoding="utf-8", errors="replace")


def _bundled() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the packages from which something is bundled, and what the lock says of them."""
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_bytes())
    for place, package in sorted(lock["packages"].items()):
        name = place.removeprefix("node_modules/")
        kept = not (package.get("dev") or package.get("optional"))
        if place and kept and name not in BUILD_TOOLS:
            yield name, package


def _npm_parts() -> Iterator[Part]:
    for name, package in _bundled():
        files = sorted(path for path in (NODE_MODULES / name).iterdir() if path.is_file())
        texts = [
            path.read_text(encoding="utf-8")
            for path in files
            if any(path.name.upper().startswith(word) for word in TEXTS)
        ]
        yield Part(name, package["version"], package["license"], tuple(texts))


def _component(name: str, package: dict[str, Any]) -> Component:
    address = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
    algorithm, _, digest = package["integrity"].partition("-")
    content = base64.b64decode(digest).hex()
    return {
        "bom-ref": address,
        "type": "library",
        "name": name,
        "version": package["version"],
        "purl": address,
        "hashes": [{"alg": algorithm.upper().replace("SHA", "SHA-"), "content": content}],
        "licenses": [{"expression": package["license"], "acknowledgement": "declared"}],
    }


def _licences(parts: list[Part]) -> str:
    ordered = sorted(parts, key=lambda part: part.name.lower())
    width = max(len(f"{part.name} {part.version}") for part in ordered)
    table = [f"{f'{part.name} {part.version}':{width}}  {part.licence}" for part in ordered]
    texts = [
        f"{'=' * 80}\n{part.name} {part.version}\n{'=' * 80}\n\n{text.strip()}\n"
        for part in ordered
        for text in part.texts
    ]
    return "\n".join(["What coinlog is made of, and under which licences:", "", *table, "", *texts])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
