"""One file over http or https into a partial file: resumed, never waited for in vain.

    address ─▶ Partial

Name look-up, connection and first byte share one time limit, so that a network without the Hub costs seconds.
"""

import contextlib
import http
import http.client
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from generators.models_partial import BLOCK, Partial, Reporter, SourceFailedError, need_space


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a source may take.

    Attributes:
        hub_s: Seconds until the Hub's first byte; then the next source is tried.
        web_s: The same for an address that the user gave.
        stall_s: Seconds without a byte after which a connection counts as lost.
        least_bytes_per_s: A source slower than this over ``stall_s`` is given up.
        reconnects: How often in a row a connection may be lost without bringing a megabyte.
    """

    hub_s: float = 5.0
    web_s: float = 30.0
    stall_s: float = 20.0
    least_bytes_per_s: int = 8 * 1024
    reconnects: int = 4


class _LostError(Exception):
    """The connection broke; what came so far is kept."""


class _RangeRefusedError(Exception):
    """The server has nothing from there on: what an earlier run left is not the beginning of this file."""


def fetch_web(url: str, grown: Partial, report: Reporter, patience: Patience, first_byte_s: float) -> None:
    """Grow the partial file until it is complete, in as many connections as it takes while they bring something.

    Raises:
        SourceFailedError: No answer within ``first_byte_s``, a refusal, another length than expected, too slow.
        StoppedError: The disk is too full.
    """
    lost, delivered = 0, False
    while report.total is None or grown.size < report.total:
        before = grown.size
        try:
            _one_connection(url, grown, report, patience, first_byte_s)
            return
        except _LostError as error:
            delivered = delivered or grown.size != before
            lost = 0 if grown.size - before >= BLOCK else lost + 1
            if lost > patience.reconnects or not delivered:
                raise SourceFailedError(str(error)) from error
            time.sleep(min(0.1 * 2**lost, 2.0))


def _one_connection(url: str, grown: Partial, report: Reporter, patience: Patience, first_byte_s: float) -> None:
    headers = {"User-Agent": "factory-qa"}
    if grown.size:
        headers["Range"] = f"bytes={grown.size}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the opener knows http and https alone
    try:
        response, first = _opened(request, patience.stall_s, first_byte_s)
    except _RangeRefusedError as error:
        grown.restart()
        raise _LostError(str(error)) from error
    with contextlib.closing(response):
        _expect_length(response, grown, report)
        grown.append(first)
        for block in _blocks(response, patience):
            grown.append(block)
            report.at(grown.size)
    if report.total is not None and grown.size < report.total:
        raise _LostError(f"the connection closed after {grown.size:,} of {report.total:,} bytes")


def _opened(
    request: urllib.request.Request, stall_s: float, first_byte_s: float
) -> tuple[http.client.HTTPResponse, bytes]:
    """Connect and wait for the first byte, in a thread: name look-up has no time limit of its own."""
    future: Future[tuple[http.client.HTTPResponse, bytes]] = Future()

    def connect() -> None:
        try:
            response = _opener().open(request, timeout=stall_s)
            future.set_result((response, response.read1(BLOCK)))
        except (OSError, http.client.HTTPException, ValueError) as error:
            future.set_exception(error)

    threading.Thread(target=connect, daemon=True, name="connect").start()
    try:
        return future.result(first_byte_s)
    except TimeoutError as error:
        future.add_done_callback(_close_late)
        raise _LostError(f"no answer within {first_byte_s:g} s") from error
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise _RangeRefusedError(f"it answered {error.code} {error.reason}") from error
        if error.code in (408, 425, 429) or error.code >= 500:
            raise _LostError(f"it answered {error.code} {error.reason}") from error
        raise SourceFailedError(f"it answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _LostError(f"no connection ({getattr(error, 'reason', None) or error})") from error


def _close_late(future: "Future[tuple[http.client.HTTPResponse, bytes]]") -> None:
    if future.exception() is None:
        future.result()[0].close()


def _opener() -> urllib.request.OpenerDirector:
    """The person's proxies and certificates count; only http and https are spoken, also after a redirect."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _expect_length(response: http.client.HTTPResponse, grown: Partial, report: Reporter) -> None:
    """Refuse a file of another length before its bytes are fetched; start over where Range is not spoken."""
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        start, whole = _content_range(response.headers.get("Content-Range", ""))
        if start != grown.size:
            raise SourceFailedError("it answered with another range than asked for")
    else:
        grown.restart()
        length = response.headers.get("Content-Length", "")
        whole = int(length) if length.isdigit() else None
    if whole is not None and report.total not in (None, whole):
        raise SourceFailedError(f"it has {whole:,} bytes, not the expected {report.total:,}")
    report.total = report.total or whole
    need_space(grown.path.parent, (report.total or 0) - grown.size)


def _content_range(header: str) -> tuple[int, int | None]:
    """The start and the whole length of ``bytes 0-99/1234``."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", header.strip())
    if not match:
        raise SourceFailedError("its answer to a range has no Content-Range")
    return int(match[1]), None if match[2] == "*" else int(match[2])


def _blocks(response: http.client.HTTPResponse, patience: Patience) -> Iterator[bytes]:
    """The rest of the body as it comes, while it comes fast enough."""
    window, came = time.monotonic(), 0
    try:
        while block := response.read1(BLOCK):
            yield block
            came += len(block)
            passed = time.monotonic() - window
            if passed >= patience.stall_s:
                if came < patience.least_bytes_per_s * passed:
                    raise SourceFailedError(f"it is too slow ({came / passed:,.0f} bytes/s)")
                window, came = time.monotonic(), 0
    except (OSError, http.client.HTTPException) as error:
        raise _LostError(f"the connection broke ({error})") from error
