"""A real server that speaks S3, on this machine: moto's, with a bucket of its own for a test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import httpx

from servers import free_port, wait_for_port

START_SECONDS = 60

_numbers = count(1)


class S3Server:
    """A server with buckets; nothing outside this machine is asked."""

    def __init__(self) -> None:
        self.port = free_port()
        command = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port))
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port, self.process, START_SECONDS)

    @property
    def settings(self) -> dict[str, str]:
        """Return the environment that leads a program to this server instead of Amazon's."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "made-up",
            "AWS_SECRET_ACCESS_KEY": "made-up",
        }

    @contextmanager
    def bucket(self) -> Iterator[str]:
        """Make a bucket and return its name."""
        name = f"test-{next(_numbers)}"
        with httpx.Client(trust_env=False) as client:
            client.put(f"http://127.0.0.1:{self.port}/{name}").raise_for_status()
        yield name

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(START_SECONDS)
