"""One HTTP POST after another to one server, as cheap as Python makes it.

    bytes ─▶ post ─▶ Answer(status, headers, body, latency), or a failure that says what broke

Why not the providers' SDKs, which this package otherwise uses for keys, addresses, headers and schemas: their own
work for each request (building it, validating it, two layers of HTTP) takes longer than everything else we do.
Measured on one core against a local server that answers after 0.5 s, 512 in flight, 4 kB requests:

    openai SDK 3.54, its own transport     175 requests/s   5.6 ms CPU a request
    the same on aiohttp                    435 requests/s   1.9 ms
    the same, ``client.post`` with bytes   630 requests/s   0.84 ms
    aiohttp alone                          916 requests/s   0.25 ms   (1,024 is the ceiling)

``benchmarks/throughput.py`` measures it again. One pool of kept-alive connections serves all requests; how many are
in flight is the caller's business. The environment is read once, when the pool is opened: proxies (``HTTPS_PROXY``,
``NO_PROXY``) and ``SSL_CERT_FILE``. aiohttp's own ``trust_env`` asks anew for each request (0.35 ms), and takes
passwords from ``~/.netrc``.
"""

import os
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from generators.errors import FactoryError, TeacherError, UsageError
from generators.teachers import TeacherSettings
from generators.teachers.failures import UNREACHABLE, PermanentFailure, RequestFailure, TransientFailure

READ_SIZE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, whatever the status. ``headers`` are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    latency: float


class Wire:
    """A pool of connections to one URL; opened by the first request, in whose event loop it then lives."""

    def __init__(self, url: str, settings: TeacherSettings, spec: str, base_variable: str) -> None:
        self.url = checked_url(url, spec)
        self._base_variable = base_variable
        self._settings = settings
        self._spec = spec
        self._session: aiohttp.ClientSession | None = None
        self._proxy: dict[str, Any] = {}

    @property
    def place(self) -> str:
        """Host and port, for people."""
        return f"{self.url.host}:{self.url.port}" if self.url.explicit_port else str(self.url.host)

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Make one attempt.

        Raises:
            TransientFailure: The network or the server's HTTP broke.
            PermanentFailure: ``oversized_reply``.
            TeacherError: The server's certificate is not trusted.
        """
        session = self._session or self._open()
        started = time.perf_counter()
        try:
            async with session.post(
                self.url, data=body, headers=headers, allow_redirects=False, **self._proxy
            ) as response:
                content = await self._read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._failure(error) from error
        return Answer(response.status, response.headers, content, time.perf_counter() - started)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        settings = self._settings
        self._proxy = _proxy_for(self.url)
        context = _trust() if self.url.scheme == "https" else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, ssl=context),
            timeout=aiohttp.ClientTimeout(
                total=settings.total_seconds, sock_connect=settings.connect_seconds, sock_read=settings.idle_seconds
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"Accept-Encoding": "identity"},
            read_bufsize=READ_SIZE,
        )
        return self._session

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """Read up to the cap; the rest stays on the wire, and the connection is closed."""
        limit = self._settings.max_reply_bytes
        if response.content_length is None:
            body = await _read_capped(response, limit)
        elif response.content_length > limit:
            response.close()
            raise oversized(limit)
        else:
            body = await response.read()
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        return body if encoding == "identity" else _inflate(body, encoding, limit)

    def _failure(self, error: BaseException) -> RequestFailure | FactoryError:
        if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
            return TeacherError(
                f"{self._spec}: no trusted connection to {self.place} ({error}); if the certificate is your own"
                " authority's, point SSL_CERT_FILE to the authority's file"
            )
        if isinstance(error, aiohttp.ClientHttpProxyError) and error.status == 407:
            return TeacherError(f"{self._spec}: the proxy wants a login (407); put it into HTTPS_PROXY")
        reason, maybe_charged = next((name, paid) for kind, name, paid in NETWORK_REASONS if isinstance(error, kind))
        detail = f"{self.place}: {error or type(error).__name__}"[:300]
        if reason in UNREACHABLE:
            detail = self._unreachable(error, reason)
        return TransientFailure(reason, detail=detail, maybe_charged=maybe_charged)

    def _unreachable(self, error: BaseException, reason: str) -> str:
        """Say which address does not answer, and what to look at."""
        cause = getattr(error, "os_error", None) or error
        number = getattr(cause, "errno", None)
        why = os.strerror(number) if isinstance(number, int) and number > 0 else cause
        why = "no answer for too long" if reason == "connect_timeout" else why
        through = f" through the proxy {self._proxy['proxy'].host}" if self._proxy else ""
        proxy = "HTTPS_PROXY, " if self._proxy else ""
        return (
            f"no connection to {self.place}{through} ({why}): "
            f"check that the server runs there, {proxy}{self._base_variable} and the network"
        )[:300]


# The first class that fits counts: (class, reason, whether the request may have reached the server).
NETWORK_REASONS: tuple[tuple[type[BaseException], str, bool], ...] = (
    (aiohttp.ClientConnectorDNSError, "dns", False),
    (aiohttp.ClientConnectorError, "connect", False),
    (aiohttp.ClientHttpProxyError, "connect", False),
    (aiohttp.ConnectionTimeoutError, "connect_timeout", False),
    (aiohttp.SocketTimeoutError, "idle_timeout", True),
    (TimeoutError, "total_timeout", True),
    (aiohttp.ClientPayloadError, "half_body", True),
    (aiohttp.ServerDisconnectedError, "disconnected", True),
    (OSError, "disconnected", True),
    (aiohttp.ClientError, "bad_http", True),
)


async def _read_capped(response: aiohttp.ClientResponse, limit: int) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > limit:
            response.close()
            raise oversized(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def checked_url(url: str, spec: str) -> URL:
    """Parse an address from the environment.

    Raises:
        UsageError: It is none, or holds a password (which would end up in messages and logs).
    """
    try:
        parsed = URL(url)
        usable = parsed.scheme in ("http", "https") and bool(parsed.host)
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"{spec}: the base URL is not of the form http(s)://host[:port][/path]")
    if parsed.user or parsed.password:
        raise UsageError(f"{spec}: the base URL holds a user name or password; use the key's variable instead")
    return parsed


def _trust() -> ssl.SSLContext:
    """Certificates that count: those of SSL_CERT_FILE or SSL_CERT_DIR, else the system's."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context()
    try:
        import truststore
    except ImportError:
        return ssl.create_default_context()
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _proxy_for(url: URL) -> dict[str, Any]:
    """The proxy that the environment names for this address, as arguments for aiohttp."""
    proxies = getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    if not named or proxy_bypass(f"{url.host}:{url.port}"):
        return {}
    proxy = URL(named if "//" in named else f"http://{named}")
    login = aiohttp.BasicAuth(proxy.user, proxy.password or "") if proxy.user else None
    return {"proxy": proxy.with_user(None), "proxy_auth": login}


def _inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Unpack gzip or deflate, which nobody asked for, without trusting its size."""
    if encoding not in ("gzip", "deflate"):
        raise PermanentFailure("bad_reply", f"unknown Content-Encoding {encoding[:40]!r}")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        plain = unpacker.decompress(body, limit)
    except zlib.error as error:
        raise PermanentFailure("bad_reply", f"damaged {encoding}: {error}") from error
    if unpacker.unconsumed_tail:
        raise oversized(limit)
    return plain


def oversized(limit: int) -> PermanentFailure:
    """The failure for a body that is not worth reading on."""
    return PermanentFailure("oversized_reply", f"more than {limit:,} bytes", maybe_charged=True)
