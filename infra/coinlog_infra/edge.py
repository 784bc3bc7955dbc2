"""What CloudFront does at its edge: who may look, which file is meant, and what answers carry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_cloudfront as cloudfront
from constructs import Construct

from coinlog.errors import UsageError
from coinlog.web.entries import DATA_CACHING, PAGE_CACHING
from coinlog.web.security import SECURITY_HEADERS, STRICT
from coinlog.web.static_files import FOREVER
from coinlog_infra.options import Options

SCRIPT = Path(__file__).with_name("edition.js")
SCRIPT_LIMIT_BYTES = 10_240
"""CloudFront takes no larger function."""

_EVERYBODY = "var admitted = null;"

YEAR = Duration.days(365)
FRESH = Duration.seconds(30)

_OWN_KIND = (
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "strict-transport-security",
)
"""Headers that CloudFront knows by name and takes under no other."""


def function_code(options: Options) -> str:
    """Return the function's code for those who may look; while none are named, nobody may.

    Raises:
        UsageError: there are more networks than fit into a function.
    """
    script = SCRIPT.read_text(encoding="utf-8")
    if not options.public:
        networks = [prefix_of(ip_network(one)) for one in options.admitted]
        script = script.replace(_EVERYBODY, f"var admitted = {json.dumps(networks)};")
    if len(script.encode()) > SCRIPT_LIMIT_BYTES:
        raise UsageError(
            f"ADMIT has {len(options.admitted)} networks, more than a function of CloudFront "
            "holds: expected fewer and larger ones"
        )
    return script


def prefix_of(network: IPv4Network | IPv6Network) -> str:
    """Return the family and the bits that all addresses of a network begin with: ``4/11001011``."""
    address = network.network_address
    bits = f"{int(address):0{address.max_prefixlen}b}"
    return f"{address.version}/{bits[: network.prefixlen]}"


def needs_ipv6(options: Options) -> bool:
    """Return whether readers may come by IPv6: one who is admitted by IPv4 must not."""
    return options.public or any(ip_network(one).version == 6 for one in options.admitted)  # noqa: PLR2004


def cache_policy(scope: Construct, name: str, usual: Duration) -> cloudfront.CachePolicy:
    """Return how long files stay at the edge where they do not say so themselves."""
    return cloudfront.CachePolicy(
        scope,
        name,
        default_ttl=usual,
        min_ttl=Duration.seconds(0),
        max_ttl=YEAR,
        enable_accept_encoding_gzip=True,
        enable_accept_encoding_brotli=True,
    )


def headers_policy(
    scope: Construct, name: str, caching: tuple[bytes, bytes], *, override: bool
) -> cloudfront.ResponseHeadersPolicy:
    """Return the headers of answers: the live page's own, and how long browsers keep them.

    Without ``override`` a file that says itself how long it is kept has the last word.
    """
    given = {key.decode(): value.decode() for key, value in (*SECURITY_HEADERS, STRICT)}
    custom = [
        _custom(key, value, override=True) for key, value in given.items() if key not in _OWN_KIND
    ]
    kept = _custom(*(part.decode() for part in caching), override=override)
    return cloudfront.ResponseHeadersPolicy(
        scope,
        name,
        security_headers_behavior=_security(given),
        custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
            custom_headers=[*custom, kept]
        ),
        remove_headers=["server", "x-amz-server-side-encryption", "x-amz-version-id"],
    )


def _custom(header: str, value: str, *, override: bool) -> cloudfront.ResponseCustomHeader:
    return cloudfront.ResponseCustomHeader(header=header, value=value, override=override)


def _security(given: dict[str, str]) -> cloudfront.ResponseSecurityHeadersBehavior:
    referrer = given["referrer-policy"].upper().replace("-", "_")
    seconds = int(given["strict-transport-security"].removeprefix("max-age="))
    return cloudfront.ResponseSecurityHeadersBehavior(
        content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
            content_security_policy=given["content-security-policy"], override=True
        ),
        content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
        referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
            referrer_policy=cloudfront.HeadersReferrerPolicy[referrer], override=True
        ),
        strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
            access_control_max_age=Duration.seconds(seconds), override=True
        ),
    )


PAGES, DATA, STATIC = PAGE_CACHING, DATA_CACHING, FOREVER
"""How long browsers keep what, as the live page tells them."""

STATIC_FILES: Sequence[str] = ("/static/*",)
DATA_FILES: Sequence[str] = ("/data/*",)
