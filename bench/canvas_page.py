"""The baseline: ready pages out of memory, from the kind of server that coinlog runs on.

It sends the one header that costs a browser time: a cross-origin opener policy asks for a process
of the page's own. Whoever serves a page safely sends it.

Run by the benchmarks: ``canvas_page.py FILE... PORT`` serves ``canvas.html`` at ``/canvas``.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import uvicorn

_, *files, port = sys.argv
PAGES = {f"/{Path(file).stem}": gzip.compress(Path(file).read_bytes(), 6) for file in files}
HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-encoding", b"gzip"),
    (b"cross-origin-opener-policy", b"same-origin"),
]


async def page(scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
    """Answer with the page of an address; with nothing for others, such as a browser's icon."""
    body = PAGES.get(scope["path"], b"")
    headers = [*HEADERS, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(page, host="127.0.0.1", port=int(port), lifespan="off", log_config=None)
