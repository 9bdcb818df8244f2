"""A model's last day: read from replies, and said once."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import facts_in

from generators.teachers.sunset import sunset_of


@pytest.mark.parametrize(
    ("headers", "body", "day"),
    [
        ({"Sunset": "Wed, 31 Mar 2027 23:59:59 GMT"}, b"{}", "2027-03-31"),
        ({"Sunset": "2027-03-31T00:00:00Z"}, b"{}", "2027-03-31"),
        ({"Sunset": "soon"}, b"{}", ""),
        ({}, b'{"shutdown_date": "2027-01-15"}', "2027-01-15"),
        ({}, b'{"deprecation_date": 1800000000}', "2027-01-15"),
        ({}, b'{"shutdown_date": null}', ""),
        ({}, b'{"shutdown_date": true}', ""),
        ({}, b'{"choices": [{"message": {"content": "the \\"shutdown_date\\" field"}}]}', ""),
        ({}, b'not JSON "shutdown_date"', ""),
        ({}, b"{}", ""),
    ],
)
def test_a_last_day_is_read_where_it_is_said(headers, body, day):
    assert sunset_of(headers, body) == day


class _Ending(BaseHTTPRequestHandler):
    """An OpenAI-compatible server whose model ends."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = json.dumps({"facts": facts_in(asked["messages"][-1]["content"])})
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
        body = json.dumps(
            {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Sunset", "Wed, 31 Mar 2027 23:59:59 GMT")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        """Keep quiet."""


def test_a_run_warns_once(manual, run_factory):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Ending)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {"OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_address[1]}/v1", "OPENAI_API_KEY": "k"}
    try:
        ran = run_factory("generate", "--docs", "manual", "--teacher", "openai/m", env=env)
    finally:
        server.shutdown()
        server.server_close()
    assert ran.code == 0
    assert ran.err.count("openai/m shuts down on 2027-03-31") == 1
