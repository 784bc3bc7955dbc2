"""Take the screenshots of ``docs/`` from a running coinlog.

Usage: ``.venv/bin/python scripts/take_screenshots.py [ADDRESS] [FOLDER]``, by default
``http://localhost:5000`` and ``docs/screenshots``. Needs Chromium, as the tests do.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PAGES = {"home": "/?lang=en", "asset": "/assets/1", "log": "/log", "home-es": "/es/"}
OTHERS = {
    "candles": "/assets/1?form=candles&range=90d",
    "overview": "/overview",
    "past": "/market?at=2026-06-01",
    "compare-es": "/es/compare?ids=1,1027&range=1y&currency=EUR",
    "slot": "/log/20260601T060000Z",
    "embed": "/embed/1?range=90d&form=area",
    "schema": "/schema",
}
"""Shown once wide and light, once narrow and dark."""

SIZES = {390: 844, 1440: 900}
SCHEMES = ("light", "dark")
NAMES = ("chromium", "chromium-browser", "google-chrome")


def take(browser: Browser, address: str, width: int, scheme: str, folder: Path) -> None:
    """Take each page in one size and one colour scheme."""
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        device_scale_factor=2 if width < 1000 else 1,  # noqa: PLR2004 -- phones have fine screens
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    once = (width, scheme) in {(1440, "light"), (390, "dark")}
    for name, path in (PAGES | OTHERS if once else PAGES).items():
        page.goto(address + path, wait_until="networkidle")
        page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
    context.close()


def main() -> None:
    """Take all screenshots."""
    address = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:5000"
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else "docs/screenshots")  # noqa: PLR2004
    folder.mkdir(parents=True, exist_ok=True)
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for width in SIZES:
            for scheme in SCHEMES:
                take(browser, address, width, scheme, folder)
        browser.close()


if __name__ == "__main__":
    main()
