"""Sites to ask: one of each test's own on each kind of store, and whole ones for the browser."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Page

from browsing import NOW, Open, fill_store, serving
from coinlog.market import SourceKind
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.web.app import create_app
from editions import Edition, publish_at, serving_folder
from hostile import fill_hostile
from ready import ReadyDatabases, ReadyFile
from samples import SLOT
from sites import Site, site_on


@pytest.fixture
def web(store_url: sa.URL) -> Iterator[Site]:
    """Return the page and the API on an empty store of this test's own, asked without a network."""
    with site_on(store_url) as web:
        yield web


@pytest.fixture
def sqlite_web(tmp_path: Path, ready_file: ReadyFile) -> Iterator[Site]:
    """Return the same on SQLite alone, for what does not depend on the kind of store."""
    with site_on(ready_file.copy(tmp_path / "coinlog.db")) as web:
        yield web


@pytest.fixture(scope="module")
def asked_web(tmp_path_factory: pytest.TempPathFactory, ready_file: ReadyFile) -> Iterator[Site]:
    """Return a site of one slot that a file's tests ask and leave alone, on SQLite."""
    with site_on(ready_file.copy(tmp_path_factory.mktemp("asked") / "coinlog.db")) as web:
        web.store(SLOT)
        yield web


@pytest.fixture(scope="module")
def asked_mariadb_web(ready_databases: ReadyDatabases) -> Iterator[Site]:
    """Return the same on MariaDB."""
    with ready_databases.lend() as url, site_on(url) as web:
        web.store(SLOT)
        yield web


@pytest.fixture(params=["sqlite", "mariadb"])
def asked_webs(request: pytest.FixtureRequest) -> Site:
    """Return such a site: the test runs once on SQLite, once on MariaDB."""
    name = "asked_web" if request.param == "sqlite" else "asked_mariadb_web"
    found: Site = request.getfixturevalue(name)
    return found


def stored(factory: pytest.TempPathFactory, name: str, source: SourceKind | None) -> sa.URL:
    """Return the address of a store, filled unless there is no source."""
    url = sa.URL.create("sqlite", database=str(factory.mktemp(name) / "coinlog.db"))
    if source is None:
        engine = open_engine(url)
        migrate(engine)
        engine.dispose()
    else:
        fill_store(url, source)
    return url


@contextmanager
def served(factory: pytest.TempPathFactory, name: str, source: SourceKind | None) -> Iterator[str]:
    """Serve a store from a thread, and give its address."""
    url = stored(factory, name, source)
    with serving(create_app(url, clock=lambda: float(NOW))) as address:
        yield address


@pytest.fixture(scope="session")
def site_store(tmp_path_factory: pytest.TempPathFactory) -> sa.URL:
    """Return the address of a store with a month of a market: only to be read."""
    return stored(tmp_path_factory, "site", SourceKind.COINMARKETCAP)


@pytest.fixture(scope="session")
def site(site_store: sa.URL) -> Iterator[str]:
    """Return the address of a site with a month of a market."""
    with serving(create_app(site_store, clock=lambda: float(NOW))) as address:
        yield address


@pytest.fixture(scope="session")
def published_folder(tmp_path_factory: pytest.TempPathFactory, site_store: sa.URL) -> Path:
    """Return a folder with the same site published into it: only to be read."""
    folder = tmp_path_factory.mktemp("published")
    publish_at(site_store, folder, NOW)
    return folder


@pytest.fixture(scope="session")
def published(published_folder: Path) -> Iterator[str]:
    """Return the address of the same site, published, as a static host serves it."""
    with serving_folder(published_folder) as address:
        yield address


@pytest.fixture
def own_edition(site_store: sa.URL, published_folder: Path, tmp_path: Path) -> Edition:
    """Return copies of the site's store and of its published folder, to go on with."""
    url = site_store.set(database=str(tmp_path / "coinlog.db"))
    with closing(sqlite3.connect(str(site_store.database))) as connection:
        connection.execute("VACUUM INTO ?", (url.database,))
    folder = tmp_path / "site"
    shutil.copytree(published_folder, folder)
    return Edition(url, folder)


@pytest.fixture(params=["live", "published"])
def both(request: pytest.FixtureRequest) -> str:
    """Return the address of the site, and in another run that of the same one published.

    What only a server can do (answer forms, say, where there are no scripts) asks for ``site``,
    and so does what the two do by the same code with the same files, as drawing is.
    """
    name = "site" if request.param == "live" else "published"
    return str(request.getfixturevalue(name))


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the addresses of a site of hostile names, live and published: by edition."""
    url = stored(tmp_path_factory, "hostile", None)
    fill_hostile(url)
    folder = tmp_path_factory.mktemp("hostile-published")
    publish_at(url, folder, NOW)
    with (
        serving(create_app(url, clock=lambda: float(NOW))) as live,
        serving_folder(folder) as published,
    ):
        yield {"live": live, "published": published}


@pytest.fixture(scope="session")
def simulated_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a site whose market is made up."""
    with served(tmp_path_factory, "simulated", SourceKind.SIMULATED) as address:
        yield address


@pytest.fixture(scope="session")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a site that has recorded nothing yet."""
    with served(tmp_path_factory, "empty", None) as address:
        yield address


REPORT_VIOLATIONS = """addEventListener("securitypolicyviolation", (told) => console.error(
    `policy: ${told.effectiveDirective} ${told.blockedURI} ${told.sample} on ${location.href}`))"""


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Open]:
    """Return what opens an address in a fresh browser in Bogotá at ``NOW``.

    At the end of the test the browsers are closed, and it fails where one of them has reported
    an error of a script, of the policy or of anything else.
    """
    contexts: list[BrowserContext] = []
    reports: list[str] = []

    def open_page(address: str, **options: Any) -> Page:  # noqa: ANN401  Playwright's many
        context = chromium.new_context(**{"timezone_id": "America/Bogota", **options})
        contexts.append(context)
        # What the policy refuses is told by some browsers only to those who ask.
        context.add_init_script(REPORT_VIOLATIONS)
        page = context.new_page()
        page.on("console", lambda said: reports.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: reports.append(f"error: {error}"))
        page.clock.set_fixed_time(NOW)
        page.goto(address)
        if address.startswith("http") and options.get("java_script_enabled", True):
            # The scripts start when the page has been painted; this choice is theirs.
            page.locator("#theme").wait_for()
            # A published page shows by its scripts what its address asks for.
            page.locator("#main:not([aria-busy])").wait_for(state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    # A page that is not there is reported by the browser itself.
    assert [one for one in reports if one.startswith("error") and "404" not in one] == []
