"""Questions whose form fits a sentence, an entry or a row, and such that do not."""

import pytest

from filters.apply import Candidate, FilterConfig
from filters.mismatched_form import make
from generators.records import Chunk, Pair

FITS = [
    ("What is AnyIO?", "AnyIO is an asynchronous library."),
    ("What is the default timeout for reads?", "The default timeout for reads is five seconds."),
    ("What is the HTTPX equivalent of `requests.Session`?", "The HTTPX equivalent of `requests.Session` is `Client`."),
    ("How do I send cookies?", "To send cookies, use the `cookies` parameter."),
    ("How do I get the next page?", "To get the next page, send the value of `next_cursor` as `cursor`."),
    ("What happens if `brotli` is installed?", "If `brotli` is installed, then that encoding is supported."),
    ("What does `GET /label` return?", "`GET /label` returns an address for the file."),
    ("Which package is needed for the Trio backend?", "The `trio` package is needed for the Trio backend."),
    ("Which error code does an old cursor fail with?", "An old cursor fails with the error code `cursor_expired`."),
    ("Which status code does an old cursor fail with?", "An old cursor fails with status 400."),
    ("Which request ends the old key at once?", "`DELETE /keys/old` ends the old key at once."),
    ("How many times is the upload retried?", "The upload is retried 4 times."),
    ("After how many minutes does an access token expire?", "An access token expires after 45 minutes."),
    ("What is the default of `limit` of `GET /rows`?", "`limit` (query, integer, default 20): Page size."),
    ("Which argument carries the authentication?", "The `auth` argument carries the authentication."),
    ("Which method reads a response in part?", "`Response.iter_bytes()` - For reading a response in part."),
    ("What is the purpose of the trace extension?", "The trace extension shows what happens inside."),
    ("What is the purpose of the `labelctl` tool?", "A tool that prints labels in batches."),
    ("What happens when sending a body with the client?", "When sending a body with the client, pass a generator."),
    ("What does the status `draft` mean?", "Status: `draft`; Meaning: created, not paid"),
]
FAILS = [
    ("What is the SOCKS support?", "HTTPX offers the SOCKS support by a package."),
    ("What is the default bundle?", "By default the bundle is used."),
    ("What is a callback?", "There is a callback for each event."),
    ("How do I enable HTTP/2 support?", "You might be interested in HTTP/2 support."),
    ("How does the proxy move data to the server?", "The proxy moves data to the server."),
    ("What happens if a key is missing?", "If a key expires, it is removed."),
    ("What happens if needed?", "If needed, ask."),
    ("What does `GET /label` return?", "`POST /label` returns an address for the file."),
    ("Which function does `netrc()` use?", "The `NetRC()` class uses the `netrc()` function."),
    ("Which method does `HEAD` support?", "The `GET` and `HEAD` methods do not support a body."),
    ("Which library does it expose?", "The `requests` library exposes `next`."),
    ("Which status fails with 400?", "An old cursor fails with status 400."),
    ("How many keys are up to 10?", "The object `metadata` holds up to 10 keys."),
    ("Which field `grant_type` does the request use?", "The request uses the field `grant_type=secret`."),
    ("How many seconds is the key kept?", "The key is kept for 24 hours."),
    ("What is the schema `Page`?", "Schema `Page`: object"),
    ("What is the default of `offset`?", "`limit` (query, integer, default 20): Page size."),
    ("Which attribute does the library expose?", "The library exposes an attribute `next`, for the next page."),
    ("What is the purpose of custom carriers?", "If you need more control, look at custom carriers."),
    ("What happens when using a client?", "When using a client, keys should be passed to the client."),
    ("What happens when making calls or clients?", "When making calls or clients, the `auth` argument can be used."),
    ("Why a key of any kind?", "A project may have 20 keys, each of which is sent in a header of its own."),
]


def judged(question, answer, overlap=0.8):
    chunk = Chunk("c", "a.md", ("A",), answer, 1, 2, 9)
    pair = Pair("p", "f", question, answer, (answer,), "value", "c", "local/x", "0")
    return make(FilterConfig(answer_overlap=overlap)).judge(Candidate(pair, chunk))


@pytest.mark.parametrize(("question", "answer"), FITS)
def test_a_question_that_fits_is_kept(question, answer):
    assert judged(question, answer) is None


@pytest.mark.parametrize(("question", "answer"), FAILS)
def test_a_question_that_does_not_fit_is_dropped_with_a_reason(question, answer):
    assert judged(question, answer).detail
    assert judged(question, answer, overlap=0.0) is None  # teachers that phrase freely are not held to forms


@pytest.mark.parametrize(
    ("question", "kept"), [("What is `limit` of `GET /rows`?", True), ("What is `limit` of `GET /keys`?", False)]
)
def test_a_parameter_is_asked_for_as_its_operations(question, kept):
    chunk = Chunk("c", "a.yaml", ("API", "GET /rows: List rows"), "", 1, 2, 9, "operation")
    answer = "`limit` (query, integer, default 20): Page size."
    pair = Pair("p", "f", question, answer, (answer,), "value", "c", "local/x", "0")
    assert (make(FilterConfig(answer_overlap=0.8)).judge(Candidate(pair, chunk)) is None) is kept
