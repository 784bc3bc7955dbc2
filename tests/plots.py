"""Charts of made-up pictures: the drawing alone, in a page with the real styles and texts."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from browsing import FRONTEND, NODE, Open
from coinlog.web.i18n import catalogue
from samples import SLOT, STEP

HARNESS = Path(__file__).resolve().parent / "web" / "harness" / "plot.ts"
POINTS = 61
START = SLOT - (POINTS - 1) * STEP
SLOTS = [START + index * STEP for index in range(POINTS)]

Picture = dict[str, Any]
Values = Sequence[float | None]


@cache
def harness() -> str:
    """Return the drawing as one script that puts ``mountPlot`` on the window."""
    esbuild = FRONTEND / "node_modules" / "esbuild" / "bin" / "esbuild"
    options = ("--bundle", "--format=iife", f"--alias:uplot={FRONTEND}/node_modules/uplot")
    command = [str(NODE), str(esbuild), str(HARNESS), *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def open_plot(browse: Open, site: str, lines: int = 1, **options: Any) -> Page:  # noqa: ANN401  Playwright's
    """Open a page with an empty chart on it; ``show`` draws, ``told`` are the calls it made."""
    page = browse(f"{site}/keys", **options)
    # A page of its own: the site's policy lets no script, and so no test, write into the site's.
    content = _page(page, lines)
    page.route(f"{site}/plot", lambda route: route.fulfill(content_type="text/html", body=content))
    page.goto(f"{site}/plot")
    page.evaluate(harness())
    page.evaluate("""() => {
        window.told = [];
        const [section, box] = [".chart", ".plot"].map((one) => document.querySelector(one));
        window.plot = mountPlot(section, box, {
            zoomed: (from, to) => told.push([from, to]),
            reset: () => told.push("reset"),
        });
    }""")
    return page


def _page(page: Page, lines: int) -> str:
    style = page.locator("link[rel=stylesheet]").first.get_attribute("href")
    texts = page.locator("#texts").text_content()
    legend = "".join(
        f'<li class="s{n + 1}"><a href="#">Asset {n + 1}</a> <span class="value" data-line="{n}">'
        "</span></li>"
        for n in range(lines)
    )
    single = " single" if lines == 1 else ""
    hint = escape(catalogue("en").text("chart.hint"))
    return f"""<!doctype html><html lang="en"><head><link rel="stylesheet" href="{style}">
        <meta name="viewport" content="width=device-width, initial-scale=1"></head><body>
        <script type="application/json" id="texts">{texts}</script>
        <main class="wrap"><section id="chart" class="card chart{single}"><h2>Chart</h2>
        <ul class="legend">{legend}</ul><div class="plot" data-chart></div>
        <div class="under"><p data-at></p><p class="hint" hidden data-hint>{hint}</p>
        <button type="button" class="quiet" hidden data-zone></button></div></section>
        <p>{"More below. " * 900}</p></main></body></html>"""


def show(page: Page, picture: Picture) -> None:
    """Draw a picture, and wait until it is on the screen."""
    page.evaluate(
        """picture => {
            plot.show(picture);
            return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }""",
        picture,
    )


def wave(index: float, base: float = 100.0) -> float:
    """Return a price that moves."""
    return base * (1 + 0.1 * math.sin(index / 7) + 0.03 * math.sin(index / 2))


def line(values: Values, number: int = 1, backfilled: Sequence[bool] = ()) -> Picture:
    """Return one line of a picture."""
    return {
        "id": number,
        "name": f"Asset {number}",
        "symbol": "AST",
        "values": list(values),
        "drawn": list(values),
        "backfilled": list(backfilled),
    }


def picture(lines: Sequence[Picture], **changes: Any) -> Picture:  # noqa: ANN401  any part of it
    """Return a picture of lines over ``SLOTS``."""
    whole = {
        "start": SLOTS[0],
        "end": SLOTS[-1],
        "times": SLOTS,
        "lines": list(lines),
        "bands": [],
        "outcomes": [],
        "field": "price",
        "scale": "linear",
        "form": "line",
        "unit": "USD",
        "mark": "",
        "sampled": False,
    }
    # Through JSON, as data comes in a page.
    copied: Picture = json.loads(json.dumps(whole | changes))
    return copied


def texts_drawn(page: Page) -> list[str]:
    """Return what stands on the canvas, of the next drawing."""
    found: list[str] = page.evaluate("""() => {
        const texts = [];
        const own = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
            texts.push(text);
            own.call(this, text, ...place);
        };
        plot.redraw();
        return new Promise((done) => requestAnimationFrame(() => {
            CanvasRenderingContext2D.prototype.fillText = own;
            done(texts);
        }));
    }""")
    return found


def rows(page: Page, share: float, colour: str, part: str = "plot") -> list[int]:
    """Return where a colour of the styles stands in a column of the canvas, from the top.

    The column is a share of the width; the part is the plot or the strip under it.
    """
    script = """([share, colour, part]) => {
        const canvas = document.querySelector(".plot canvas");
        const over = document.querySelector(".u-over").clientHeight * devicePixelRatio;
        const ink = canvas.getContext("2d");
        const probe = document.createElement("i");
        probe.style.color = `var(${colour})`;
        document.querySelector(".plot").append(probe);
        ink.save();
        const one = document.createElement("canvas").getContext("2d");
        one.fillStyle = getComputedStyle(probe).color;
        one.fillRect(0, 0, 1, 1);
        const wanted = one.getImageData(0, 0, 1, 1).data;
        probe.remove();
        ink.restore();
        const x = Math.min(Math.round(canvas.width * share), canvas.width - 1);
        const [from, to] = part === "plot" ? [0, over] : [over, over + 18 * devicePixelRatio];
        const column = ink.getImageData(x, from, 1, to - from).data;
        const found = [];
        for (let y = 0; y < column.length / 4; y++) {
            const near = [0, 1, 2].every((n) => Math.abs(column[4 * y + n] - wanted[n]) < 24);
            if (near && column[4 * y + 3] > 200) found.push(y);
        }
        return found;
    }"""
    found: list[int] = page.evaluate(script, [share, colour, part])
    return found


def bare(page: Page, slot: float) -> int:
    """Return how many pixels of the plot have nothing on them, at an index of ``SLOTS``."""
    script = """share => {
        const canvas = document.querySelector(".plot canvas");
        const height = document.querySelector(".u-over").clientHeight * devicePixelRatio;
        const x = Math.round(canvas.width * share);
        const { data } = canvas.getContext("2d").getImageData(x, 0, 1, height);
        return data.filter((value, n) => n % 4 === 3 && !value).length;
    }"""
    return int(page.evaluate(script, at(slot)))


def at(slot: float) -> float:
    """Return the share of the width at which an index of ``SLOTS`` lies."""
    return slot / (POINTS - 1)


def point_at(page: Page, slot: float, *, under: bool = False) -> None:
    """Move the mouse over an index of ``SLOTS``: on the plot, or on the strip under it."""
    box = page.locator(".u-over").bounding_box()
    assert box
    y = box["y"] + (box["height"] + 9 if under else box["height"] / 2)
    page.mouse.move(box["x"] + box["width"] * at(slot), y)
    if under:
        # The cursor leaves the plot after the first move.
        page.mouse.move(box["x"] + box["width"] * at(slot), y + 1)


def told(page: Page) -> list[Any]:
    """Return what the plot has told, when it has had the time to."""
    page.wait_for_timeout(320)
    found: list[Any] = page.evaluate("told.splice(0)")
    return found
