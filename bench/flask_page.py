"""The baseline: the page that people write by hand, with Flask's own server and one table.

It connects and queries for each request, and answers with a list of rows. Run by the benchmarks:
``flask_page.py DATABASE_PORT DATABASE USER PASSWORD PORT``.
"""

from __future__ import annotations

import logging
import sys

import pymysql
import pymysql.cursors
from flask import Flask, Response, jsonify

app = Flask(__name__)
_, database_port, database, user, password, port = sys.argv


@app.get("/prices/<int:asset_id>")
def prices(asset_id: int) -> Response:
    """Return all rows of an asset."""
    # Without TLS: a server on the same machine needs none, and the driver would take 17 ms for it.
    connection = pymysql.connect(
        host="127.0.0.1",
        port=int(database_port),
        user=user,
        password=password,
        database=database,
        cursorclass=pymysql.cursors.DictCursor,
        ssl_disabled=True,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM prices WHERE asset_id = %s ORDER BY timestamp", (asset_id,))
        return jsonify(cursor.fetchall())


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app.run("127.0.0.1", int(port), threaded=True)
