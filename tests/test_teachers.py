"""Teachers over real HTTP on loopback: both wires, what servers refuse, what breaks, and what people get to read."""

import asyncio
import contextlib
import gzip
import json
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from generators.errors import TeacherError, UsageError
from generators.teachers import Message, Request, TeacherSettings, open_teacher
from generators.teachers.error_bodies import printable
from generators.teachers.failures import FeatureRefused, PermanentFailure, TransientFailure, retry_after
from generators.teachers.openai_chat import strict_schema
from generators.teachers.scripted import Fault, ScriptedTeacher, with_faults

KEY = "sk-live-abcdef0123456789SECRETTAIL"
SPECS = ("openai/scripted-1", "anthropic/scripted-1")
SCHEMA = {
    "type": "object",
    "properties": {"facts": {"type": "array", "maxItems": 2, "items": {"type": "string", "minLength": 3}}},
    "required": ["facts"],
    "additionalProperties": False,
}
PAGE = "# Limits\n\nEach key may send 60 requests a minute. The header `X-Rate` tells how many are left.\n"


def request(**changes):
    messages = (Message("system", "Write pairs."), Message("user", PAGE))
    return Request(**{"messages": messages, "schema": SCHEMA, "max_tokens": 300, **changes})


async def sent(teacher, request):
    """The raw reply, after as many attempts as there are features to leave out."""
    while True:
        with contextlib.suppress(FeatureRefused):
            return await teacher.send(request)


def ask(spec, *requests, settings=None):
    """Send the requests one after another; their raw replies, and the teacher to read them with."""

    async def run():
        teacher = open_teacher(spec, settings)
        try:
            return [await sent(teacher, each) for each in requests], teacher
        finally:
            await teacher.aclose()

    return asyncio.run(run())


@pytest.fixture
def serve(monkeypatch):
    """Start a scripted teacher and lead both providers to it."""
    running = []

    def start(script=None, **settings):
        teacher = ScriptedTeacher(*[script] if script else [], **settings)
        teacher.__enter__()
        running.append(teacher)
        for name, value in teacher.environment(KEY).items():
            monkeypatch.setenv(name, value)
        return teacher

    yield start
    for teacher in running:
        teacher.__exit__(None, None, None)


@pytest.mark.parametrize("spec", SPECS)
def test_reply_is_kept_as_received_and_read_again(serve, spec):
    server = serve()
    [raw], teacher = ask(spec, request())
    reply = teacher.read(raw.body)
    facts = json.loads(reply.text)["facts"]
    assert [fact["quotes"][0] for fact in facts] == [
        "Each key may send 60 requests a minute.",
        "The header `X-Rate` tells how many are left.",
    ]
    assert (reply.finish, reply.model) == ("stop", "scripted-1")
    assert reply.input_tokens > 0
    assert reply.output_tokens > 0
    assert (raw.status, teacher.read(raw.body)) == (200, reply)
    assert [(charge.status, charge.delivered, charge.charged) for charge in server.ledger] == [
        (200, len(raw.body), True)
    ]


@pytest.mark.parametrize("spec", SPECS)
def test_a_byte_order_mark_before_the_reply_is_no_part_of_it(serve, spec):
    serve()
    [raw], teacher = ask(spec, request())
    assert teacher.read(b"\xef\xbb\xbf" + raw.body) == teacher.read(raw.body)


def test_openai_gets_a_strict_schema_and_the_key(serve):
    seen = []
    serve(lambda asked: seen.append(asked) or "{}")
    ask("openai/scripted-1", request(seed=7, slot=2, temperature=0.5))
    [asked] = seen
    assert asked.body["response_format"]["json_schema"]["strict"] is True
    assert asked.schema["properties"]["facts"] == {"type": "array", "maxItems": 2, "items": {"type": "string"}}
    assert (asked.body["seed"], asked.body["temperature"], asked.body["max_tokens"]) == (9, 0.5, 300)
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.messages == (("system", "Write pairs."), ("user", PAGE))


def test_anthropic_gets_its_own_schema_form(serve):
    seen = []
    serve(lambda asked: seen.append(asked) or "{}")
    ask("anthropic/scripted-1", request())
    [asked] = seen
    assert asked.body["output_config"]["format"]["type"] == "json_schema"
    assert "maxItems: 2" in asked.schema["properties"]["facts"]["description"]
    assert asked.body["system"] == "Write pairs."
    assert KEY in (asked.headers["authorization"] + asked.headers["x-api-key"])
    assert asked.headers["anthropic-version"]


@pytest.mark.parametrize("spec", SPECS)
def test_slots_differ_in_bytes_and_repeats_do_not(serve, spec):
    server = serve()
    ask(spec, request(), request(), request(slot=1), request(slot=2))
    shas = [charge.sha256 for charge in server.ledger]
    assert shas[0] == shas[1]
    assert len(set(shas)) == 3


@pytest.mark.parametrize("spec", SPECS)
def test_schema_refusal_turns_to_prompt_and_is_remembered(serve, spec):
    seen = []

    def no_schema(asked):
        seen.append(asked)
        return Fault("schema_unsupported") if asked.schema else "{}"

    serve(no_schema)
    ask(spec, request(), request(slot=1))
    assert [asked.schema is not None for asked in seen] == [True, False, False]
    assert '"maxItems":2' in seen[1].messages[0][1]
    assert seen[1].messages[0][1].startswith("Write pairs.")
    assert seen[1].user == PAGE


def test_unclear_refusal_of_a_server_never_seen_to_take_schemas_is_tried_without(serve):
    serve(lambda asked: Fault("status", status=422) if asked.schema else "{}")
    [raw], teacher = ask("openai/scripted-1", request())
    assert teacher.read(raw.body).text == "{}"


def test_unclear_refusal_of_one_request_costs_the_others_no_schema(serve):
    seen = []

    def picky(asked):
        seen.append(asked.schema is not None)
        return Fault("status", status=400) if "poison" in asked.user else "{}"

    serve(picky)

    async def run():
        teacher = open_teacher("openai/scripted-1")
        with pytest.raises(PermanentFailure, match="bad_request"):
            await sent(teacher, request(messages=(Message("user", "poison"),)))
        await sent(teacher, request())
        await teacher.aclose()

    asyncio.run(run())
    assert seen == [True, False, True]


def test_refused_parameters_are_left_out(serve):
    seen = []

    def modern(asked):
        seen.append(asked.body)
        if "max_tokens" in asked.body:
            return Fault("max_tokens_unsupported")
        return Fault("temperature_unsupported") if "temperature" in asked.body else "{}"

    serve(modern)
    ask("openai/scripted-1", request(temperature=0.0), request(temperature=0.0, slot=1))
    assert len(seen) == 4
    assert seen[-1]["max_completion_tokens"] == 300
    assert "response_format" in seen[-1]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("unauthorized", "the key"),
        ("forbidden", "this key"),
        ("unknown_model", "no such model"),
        ("insufficient_quota", "quota or credit"),
        ("low_credit", "quota or credit"),
    ],
)
def test_what_needs_a_person(serve, spec, name, says):
    server = serve(lambda asked: Fault(name))
    with pytest.raises(TeacherError, match=says) as caught:
        ask(spec, request())
    assert caught.value.exit_code == 4
    text = str(caught.value)
    assert spec in text
    assert "127.0.0.1" in text
    assert "\n" not in text
    assert server.requests == 1


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(
    ("fault", "kind", "reason", "maybe_charged"),
    [
        (Fault("context_overflow"), PermanentFailure, "context_overflow", False),
        (Fault("status", status=413), PermanentFailure, "context_overflow", False),
        (Fault("content_filter_error"), PermanentFailure, "content_filter", False),
        (Fault("huge", size=1 << 30), PermanentFailure, "oversized_reply", True),
        (Fault("status", status=429, retry_after="3"), TransientFailure, "rate_limited", False),
        (Fault("status", status=408), TransientFailure, "server_error", False),
        (Fault("status", status=409), TransientFailure, "conflict", False),
        (Fault("status", status=500), TransientFailure, "server_error", True),
        (Fault("status", status=503), TransientFailure, "overloaded", True),
        (Fault("status", status=529), TransientFailure, "overloaded", True),
        (Fault("reset"), TransientFailure, "disconnected", True),
        (Fault("reset_after_headers"), TransientFailure, None, True),
        (Fault("half_body"), TransientFailure, None, True),
    ],
    ids=lambda value: f"{value.name}-{value.status}" if isinstance(value, Fault) else "",
)
def test_failures_of_one_request(serve, spec, fault, kind, reason, maybe_charged):
    serve(lambda asked: fault)
    with pytest.raises(kind) as caught:
        ask(spec, request())
    failure = caught.value
    assert type(failure) is kind
    assert failure.reason == (reason or failure.reason)
    assert failure.reason in ("half_body", "disconnected", reason)
    assert failure.maybe_charged is maybe_charged
    if fault.retry_after:
        assert failure.retry_after == 3


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(
    ("name", "finish"),
    [
        ("empty", "stop"),
        ("truncated", "length"),
        ("refusal", "refusal"),
        ("wrong_schema", "stop"),
        ("not_json", "stop"),
    ],
)
def test_paid_replies_come_back_whatever_they_say(serve, spec, name, finish):
    serve(lambda asked: Fault(name))
    [raw], teacher = ask(spec, request())
    reply = teacher.read(raw.body)
    assert reply.finish == finish
    assert (reply.text == "") is (name == "empty")


def test_withheld_reply_is_told_from_a_refusal(serve):
    serve(lambda asked: Fault("content_filter"))
    [raw], teacher = ask("openai/scripted-1", request())
    assert teacher.read(raw.body).finish == "filter"


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(
    ("name", "reason"), [("garbage", "bad_reply"), ("html", "bad_reply"), ("invalid_utf8", "invalid_utf8")]
)
def test_nonsense_is_kept_and_only_reading_it_fails(serve, spec, name, reason):
    serve(lambda asked: Fault(name))
    [raw], teacher = ask(spec, request())
    assert raw.body
    with pytest.raises(PermanentFailure) as caught:
        teacher.read(raw.body)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'{"choices":[]}',
        b'{"choices":[null]}',
        b'{"choices":{}}',
        b'{"content":null}',
        b"[" * 100_000,
        b'{"choices":[{"message":{}}],"usage":{"prompt_tokens":' + b"9" * 5000 + b"}}",
    ],
)
@pytest.mark.parametrize("spec", SPECS)
def test_reading_never_breaks_otherwise(serve, spec, body):
    serve()
    teacher = open_teacher(spec)
    with pytest.raises(PermanentFailure) as caught:
        teacher.read(body)
    assert caught.value.reason == "bad_reply"


def test_half_an_emoji_can_be_written_to_a_file(serve):
    serve()
    body = b'{"choices":[{"message":{"content":"\\ud83d\\ude00 ok \\ud83d"},"finish_reason":null}]}'
    reply = open_teacher("openai/m").read(body)
    assert reply.text == "\U0001f600 ok �"
    assert (reply.finish, reply.input_tokens) == ("stop", None)


@pytest.mark.parametrize(
    "name",
    [
        *("unauthorized", "forbidden", "unknown_model", "insufficient_quota", "context_overflow", "status"),
    ],
)
@pytest.mark.parametrize("spec", SPECS)
def test_no_error_text_holds_a_part_of_the_key(serve, spec, name):
    leaky = {"error": {"message": f"bad key {KEY}, or {KEY[:12]}…{KEY[-8:]}, or Bearer {KEY}", "code": name}}

    class Leaky(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(leaky).encode()
            self.send_response({"unauthorized": 401, "forbidden": 403, "unknown_model": 404}.get(name, 400))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    serve()
    with http_server(Leaky) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", url)
        patch.setenv("ANTHROPIC_BASE_URL", url)
        with pytest.raises((TeacherError, PermanentFailure)) as caught:
            ask(spec, request())
    text = f"{caught.value}{caught.value!r}{getattr(caught.value, 'detail', '')}"
    assert not [part for part in (KEY, KEY[:12], KEY[-8:]) if part in text]


class http_server:  # noqa: N801
    """Any handler of the standard library, on a free port."""

    def __init__(self, handler):
        self.server = HTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


def canned(status, body, headers):
    """A handler that always answers the same."""

    class Canned(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    return Canned


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
@pytest.mark.parametrize("spec", SPECS)
def test_base_url_with_and_without_v1(serve, monkeypatch, spec, path):
    server = serve()
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url + path)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.base_url + path)
    [raw], _ = ask(spec, request())
    assert raw.status == 200


def test_a_gateways_own_path_is_kept(serve, monkeypatch):
    server = serve()
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.base_url}/api/openai")
    with pytest.raises(TeacherError, match="OPENAI_BASE_URL"):
        ask("openai/m", request())
    assert server.requests == 0


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://host", "not a url", "http://me:secret99@host/v1"])
@pytest.mark.parametrize("spec", SPECS)
def test_unusable_base_url_is_a_usage_error(monkeypatch, spec, url):
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
    with pytest.raises(UsageError) as caught:
        open_teacher(spec)
    assert "secret99" not in str(caught.value)


@pytest.mark.parametrize(
    "spec", ["", "gpt-5", "openai/", "openai", "/x", "mistral/large", "local", "local:", "local/", "openai:gpt"]
)
def test_malformed_or_unknown_spec_lists_the_known(spec):
    with pytest.raises(UsageError, match="openai/MODEL"):
        open_teacher(spec)


@pytest.mark.parametrize(("spec", "variable"), [(SPECS[0], "OPENAI_API_KEY"), (SPECS[1], "ANTHROPIC_API_KEY")])
def test_missing_key_is_said_before_anything_is_sent(monkeypatch, spec, variable):
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_AUTH_TOKEN",
    ):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(TeacherError, match=variable):
        open_teacher(spec)


@pytest.mark.parametrize("spec", SPECS)
def test_own_server_needs_no_key(serve, monkeypatch, spec):
    serve()
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    [raw], _ = ask(spec, request())
    assert raw.status == 200


def test_a_gateway_that_says_200_and_means_an_error(monkeypatch):
    body = json.dumps({"error": {"code": 429, "message": "slow down"}}).encode()
    with http_server(canned(200, body, {"retry-after-ms": "1500"})) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        with pytest.raises(TransientFailure) as caught:
            ask("openai/m", request())
    assert (caught.value.reason, caught.value.retry_after) == ("rate_limited", 1.5)


def test_redirects_are_not_followed_with_the_key(monkeypatch):
    with http_server(canned(308, b"", {"Location": "http://127.0.0.1:9/v1"})) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        with pytest.raises(TeacherError, match="not the address of the API"):
            ask("openai/m", request())


def test_gzip_that_nobody_asked_for_is_unpacked_up_to_the_cap(monkeypatch):
    reply = json.dumps({"choices": [{"message": {"content": "packed"}}]}).encode()
    with http_server(canned(200, gzip.compress(reply), {"Content-Encoding": "gzip"})) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        [raw], teacher = ask("openai/m", request())
    assert teacher.read(raw.body).text == "packed"
    bomb = gzip.compress(b" " * (1 << 25))
    with http_server(canned(200, bomb, {"Content-Encoding": "gzip"})) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        with pytest.raises(PermanentFailure, match="oversized_reply"):
            ask("openai/m", request())


def test_announced_size_above_the_cap_is_not_read(serve):
    serve(lambda asked: "x" * 5000)
    with pytest.raises(PermanentFailure, match="oversized_reply"):
        ask("openai/m", request(), settings=TeacherSettings(max_reply_bytes=1000))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [(TeacherSettings(idle_seconds=0.2), "idle_timeout"), (TeacherSettings(total_seconds=0.2), "total_timeout")],
)
def test_deadlines(serve, settings, reason):
    serve(delay=5)
    started = time.monotonic()
    with pytest.raises(TransientFailure) as caught:
        ask("openai/m", request(), settings=settings)
    assert (caught.value.reason, caught.value.maybe_charged) == (reason, True)
    assert time.monotonic() - started < 4


def test_nobody_listening(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
    with pytest.raises(TransientFailure) as caught:
        ask("openai/m", request())
    assert (caught.value.reason, caught.value.maybe_charged) == ("connect", False)


def test_proxy_of_the_environment_is_used_and_no_proxy_kept(serve, monkeypatch):
    server = serve()
    monkeypatch.setenv("HTTP_PROXY", server.base_url)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://teacher.invalid/v1")
    [raw], _ = ask("openai/m", request())  # The name resolves nowhere: only the proxy can have answered.
    assert raw.status == 200
    monkeypatch.setenv("NO_PROXY", "teacher.invalid")
    with pytest.raises(TransientFailure, match="dns"):
        ask("openai/m", request())


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command")
def test_own_certificate_authority(tmp_path, monkeypatch):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
    subprocess.run(["openssl", "req", "-x509", "-days", "2", *files, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http_server(canned(200, json.dumps({"choices": [{"message": {"content": "ok"}}]}).encode(), {}))
    server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
    with server as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url.replace("http:", "https:"))
        with pytest.raises(TeacherError, match="SSL_CERT_FILE"):
            ask("openai/m", request())
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        [raw], teacher = ask("openai/m", request())
    assert teacher.read(raw.body).text == "ok"


@pytest.mark.parametrize("model", ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"])
def test_litellm_is_one_attempt_with_the_same_errors(serve, model):
    pytest.importorskip("litellm")
    faults = [Fault("status", status=429, retry_after="3"), Fault("unauthorized")]
    server = serve(lambda asked: faults[asked.n - 2] if asked.n > 1 else "{}")

    async def run():
        teacher = open_teacher(f"litellm/{model}")
        reply = teacher.read((await teacher.send(request())).body)
        with pytest.raises(TransientFailure) as slow:
            await teacher.send(request())
        with pytest.raises(TeacherError) as wrong:
            await teacher.send(request())
        return reply, slow.value, str(wrong.value)

    reply, slow, wrong = asyncio.run(run())
    assert (reply.text, reply.finish) == ("{}", "stop")
    assert (slow.reason, slow.retry_after) == ("rate_limited", 3)
    assert KEY[:8] not in wrong
    assert server.requests == 3


def test_retry_after_in_all_its_forms():
    now = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
    date = format_datetime(now + timedelta(seconds=90), usegmt=True)
    skewed = {"Retry-After": date, "Date": format_datetime(now, usegmt=True)}
    assert retry_after({"Retry-After": "7"}) == 7
    assert retry_after({"Retry-After": "7", "retry-after-ms": "250"}) == 0.25
    assert retry_after(skewed) == 90
    assert retry_after({"Retry-After": format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)}) == 0
    for nonsense in ("soon", "-5", "nan", "inf", ""):
        assert retry_after({"Retry-After": nonsense}) is None
    assert retry_after({}) is None


def test_identity_names_what_determines_the_reply():
    base = request()
    same = request(schema=json.loads(json.dumps(SCHEMA)))
    others = [
        request(slot=1),
        request(seed=1),
        request(temperature=0.0),
        request(max_tokens=301),
        request(schema=None),
        request(messages=(Message("user", PAGE),)),
        request(schema={**SCHEMA, "properties": {"b": {"type": "string"}, "a": {"type": "string"}}}),
        request(schema={**SCHEMA, "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}),
    ]
    assert base.identity("openai/m") == same.identity("openai/m")
    names = {each.identity("openai/m") for each in others} | {base.identity("openai/m"), base.identity("openai/n")}
    assert len(names) == len(others) + 2


def test_strict_schema_keeps_properties_that_are_named_like_keywords():
    schema = {"type": "object", "properties": {"minLength": {"type": "string", "minLength": 2}, "b": {"type": "null"}}}
    assert strict_schema(schema) == {
        "type": "object",
        "properties": {"minLength": {"type": "string"}, "b": {"type": "null"}},
        "required": ["minLength", "b"],
        "additionalProperties": False,
    }


def test_servers_words_are_made_fit_for_a_terminal():
    assert printable("a\x1b[31mred\n\nline\x00") == "a [31mred line"
    assert len(printable("x" * 5000)) == 300


def test_requests_in_flight_are_not_limited_by_the_client(serve):
    server = serve(delay=2)

    async def run():
        teacher = open_teacher("openai/m")
        await asyncio.gather(*(teacher.send(request(slot=slot)) for slot in range(200)))
        await teacher.aclose()

    asyncio.run(run())
    assert server.most_in_flight == 200


def test_mixed_faults_are_the_same_in_each_run(serve):
    def outcomes():
        serve(with_faults(0.5, seed=1))

        async def one(teacher, slot):
            try:
                return (await teacher.send(request(slot=slot))).status
            except TransientFailure as failure:
                return failure.detail.partition(":")[0]

        async def run():
            teacher = open_teacher("openai/m")
            try:
                return await asyncio.gather(*(one(teacher, slot) for slot in range(40)))
            finally:
                await teacher.aclose()

        return asyncio.run(run())

    first = outcomes()
    assert 8 <= sum(outcome == 200 for outcome in first) <= 32
    assert [outcome == 200 for outcome in outcomes()] == [outcome == 200 for outcome in first]


def test_scripted_teacher_as_a_process(monkeypatch):
    command = [sys.executable, "-m", "generators.teachers.scripted", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        [raw], _ = ask("openai/m", request())
        with urllib.request.urlopen(f"{url}/ledger") as response:
            ledger = json.load(response)
        process.terminate()
    assert [(charge["status"], charge["delivered"], charge["charged"]) for charge in ledger] == [
        (200, len(raw.body), True)
    ]


def test_opening_a_teacher_imports_no_sdk(monkeypatch):
    script = (
        "import os, sys\n"
        "os.environ |= {'OPENAI_API_KEY': 'k', 'ANTHROPIC_API_KEY': 'k'}\n"
        "from generators.teachers import open_teacher\n"
        "assert 'aiohttp' not in sys.modules\n"
        "open_teacher('openai/m'); open_teacher('anthropic/m')\n"
        "assert not {'openai', 'anthropic'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
