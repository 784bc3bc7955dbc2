"""The baseline: one ready page out of memory, from the kind of server that coinlog runs on.

It sends the one header that costs a browser time: a cross-origin opener policy asks for a process
of the page's own. Whoever serves a page safely sends it.

Run by the benchmarks: ``canvas_page.py FILE PORT``.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import uvicorn

_, file, port = sys.argv
BODY = gzip.compress(Path(file).read_bytes(), 6, mtime=0)
START: Any = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-encoding", b"gzip"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"content-length", str(len(BODY)).encode()),
    ],
}


async def page(scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
    """Answer every request with the page."""
    if scope["type"] == "http":
        await send(START)
        await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    uvicorn.run(page, host="127.0.0.1", port=int(port), lifespan="off", log_config=None)
