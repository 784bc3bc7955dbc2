"""Where requests go: the base URL, the key that travels there, and a proxy on the way."""

from __future__ import annotations

import urllib.request
from urllib.parse import urlsplit

import httpx

from coinlog.errors import UsageError
from coinlog.loopback import is_loopback

MAX_PORT = 65_535


def checked_url(base_url: str, *, keyed: bool) -> str:
    """Return a base URL without a slash at its end.

    Raises:
        UsageError: it is no http(s) address, or would send the key unencrypted over a network.
    """
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL("")
    further = url.userinfo or url.query or url.fragment
    if not url.host or url.scheme not in ("http", "https") or further or (url.port or 0) > MAX_PORT:
        shown = base_url.rpartition("@")[2][:80]
        raise UsageError(
            f"the source's address {shown!r} cannot be used: expected http(s)://host/path without "
            "password or query, for example https://pro-api.coinmarketcap.com"
        )
    if keyed and url.scheme == "http" and not is_loopback(url.host):
        raise UsageError(
            f"the key would travel to {url.host} unencrypted: use https:// in COINLOG_CMC_URL, or "
            "unset the key"
        )
    return base_url.rstrip("/")


def checked_key(api_key: str | None) -> str | None:
    """Return a key that can stand in a header, None where there is none.

    Raises:
        UsageError: it holds spaces or characters beyond ASCII. It is never shown.
    """
    if not api_key:
        return None
    if not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
        raise UsageError(
            "the API key holds spaces, line ends or characters beyond ASCII: expected a key as "
            "CoinMarketCap shows it, for example b54bcf4d-1bca-4e8e-9a24-22ff2c3d462c"
        )
    return api_key


def join(base_url: str, endpoint: str) -> str:
    """Return an address without doubled slashes, which the source answers with 403."""
    return f"{base_url}/{'/'.join(part for part in endpoint.split('/') if part)}"


def proxy_for(url: str) -> str | None:
    """Return the proxy that the system names for an address (HTTPS_PROXY, NO_PROXY), or None.

    Raises:
        UsageError: it is a proxy that cannot be used here. Its password is never shown.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy:
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    scheme = proxy.partition("://")[0]
    if scheme not in ("http", "https"):
        raise UsageError(
            f"the proxy that this system names is a {scheme[:20]!r} one: expected http:// or "
            "https://; set HTTPS_PROXY to such a one, or name the source's host in NO_PROXY"
        )
    return proxy
