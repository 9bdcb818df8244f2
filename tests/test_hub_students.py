"""Students named by a Hub id, from a hub on loopback: what is refused before gigabytes are fetched."""

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from students import publish_rows

pytest.importorskip("trl")
REVISION = "a" * 40
GB = 10**9
# name → parameters, bytes of the weights
MODELS = {"org/large": (7 * GB, 15 * GB), "org/wide": (GB, shutil.disk_usage("/").total * 4)}


class Hub(BaseHTTPRequestHandler):
    """Knows two models and gives no file of them."""

    fetched = ()

    def do_GET(self):
        name = "/".join(self.path.removeprefix("/api/models/").split("?")[0].split("/")[:2])
        type(self).fetched = (*self.fetched, self.path)
        if name not in MODELS or not self.path.startswith("/api/"):
            return self._send(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        parameters, size = MODELS[name]
        if "/tree/" in self.path:
            file = {"type": "file", "oid": "b" * 40, "size": size, "path": "model.safetensors"}
            return self._send(200, [{**file, "lfs": {"oid": "c" * 64, "size": size, "pointerSize": 130}}])
        kept = {"parameters": {"BF16": parameters}, "total": parameters}
        files = [{"rfilename": "model.safetensors"}]
        return self._send(200, {"id": name, "sha": REVISION, "siblings": files, "safetensors": kept})

    def do_HEAD(self):
        name = "/".join(self.path.split("/")[1:3])
        self._send(200, {}, {"X-Linked-Size": str(MODELS[name][1]), "X-Linked-ETag": '"c"', "X-Repo-Commit": REVISION})

    def _send(self, code, found, headers=()):
        body = json.dumps(found).encode()
        self.send_response(code)
        for key, value in {"Content-Length": str(len(body)), "ETag": '"c"', **dict(headers)}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *told):
        pass


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Hub.fetched = ()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("org/large", "7.0 billion parameters needs a CUDA GPU"),
        ("org/wide", "for the weights of org/wide"),
        ("org/none", "the Hub does not give org/none"),
    ],
)
def test_a_base_that_cannot_be_used_is_refused_before_it_is_fetched(tmp_path, run_factory, hub, name, says):
    publish_rows(tmp_path / "factory-data")
    env = {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path / "hub"), "NO_PROXY": "127.0.0.1"}
    ran = run_factory("train", "--student", name, env=env)
    assert (ran.code, ran.err.count("\n"), says in ran.err) == (2, 1, True), ran.err
    assert not any("/resolve/" in path for path in Hub.fetched)


def test_a_hub_that_is_out_of_reach_is_said(tmp_path, run_factory):
    publish_rows(tmp_path / "factory-data")
    env = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "hub"), "NO_PROXY": "127.0.0.1"}
    ran = run_factory("train", "--student", "org/other", env=env)
    assert (ran.code, ran.err.count("\n"), "cannot be reached" in ran.err) == (2, 1, True), ran.err
