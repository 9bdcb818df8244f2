"""A teacher that says what a script tells it, over real HTTP on loopback: for tests of pipelines, without a bill.

    POST /v1/chat/completions | /v1/messages ─▶ script ─▶ a reply, or a fault

It speaks both wire protocols and keeps a billing ledger, so that a test can count what was paid twice.

    with ScriptedTeacher(script) as teacher:      # in a thread
        os.environ |= teacher.environment()

    python -m generators.teachers.scripted --port 0 --delay 0.5 --faults 0.2 --seed 1    # a process; prints its URL

``GET /ledger`` lists the ledger. A script is called with a ``ScriptedRequest`` and returns the reply's text, a
``Fault``, or something for ``json.dumps``; it runs in the server's thread, one request at a time. Without one, facts
are quoted from the user message.
"""

import argparse
import asyncio
import dataclasses
import json
import sys
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web

from generators.teachers.scripted_faults import BRIEF, PASSING, Answer, Circumstances, Fault, Protocol
from generators.teachers.scripted_faults import FAULTS as RENDERERS
from generators.teachers.scripted_requests import Script, ScriptedRequest, default_script, read_request, with_faults
from generators.teachers.scripted_wire import write_answer

__all__ = ["Charge", "Fault", "ScriptedRequest", "ScriptedTeacher", "default_script", "with_faults"]

KEY = "scripted-key-0123456789"
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Charge:
    """A line of the ledger.

    Attributes:
        sha256: Of the request's bytes.
        status: Of HTTP, as sent or meant.
        delivered: Bytes of the body that were written while the client was there.
        charged: Whether a provider would bill it: the model ran, whether or not anything arrived.
        at: When the request came, seconds since the server started.
    """

    sha256: str
    status: int
    delivered: int
    charged: bool
    at: float


class ScriptedTeacher:
    """The server, in a thread of its own; a context manager.

    Attributes:
        base_url: ``http://127.0.0.1:PORT``; both OPENAI_BASE_URL and ANTHROPIC_BASE_URL may be set to it.
    """

    def __init__(self, script: Script = default_script, *, delay: float = 0.0, port: int = 0) -> None:
        self._script = script
        self._delay = delay
        self._port = port
        self._lock = threading.Lock()
        self._ledger: list[Charge] = []
        self._attempts: dict[str, int] = {}
        self._in_flight = self._most_in_flight = self._requests = 0
        self._started = time.monotonic()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="scripted-teacher", daemon=True)
        self.base_url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if not self.base_url:
            raise OSError(f"cannot listen on {HOST}:{self._port}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def ledger(self) -> list[Charge]:
        """A copy of the ledger, in the order in which requests ended."""
        with self._lock:
            return list(self._ledger)

    @property
    def requests(self) -> int:
        """How many requests have come."""
        with self._lock:
            return self._requests

    @property
    def most_in_flight(self) -> int:
        """How many requests were being worked on at once, at most."""
        with self._lock:
            return self._most_in_flight

    def environment(self, key: str = KEY) -> dict[str, str]:
        """Environment variables that lead both providers here."""
        return {
            "OPENAI_BASE_URL": f"{self.base_url}/v1",
            "OPENAI_API_KEY": key,
            "ANTHROPIC_BASE_URL": self.base_url,
            "ANTHROPIC_API_KEY": key,
        }

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0)
        try:
            self._loop.run_until_complete(self._listen(runner))
        except OSError:
            return
        finally:
            self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _listen(self, runner: web.AppRunner) -> None:
        await runner.setup()
        site = web.TCPSite(runner, HOST, self._port, backlog=4096)
        await site.start()
        self.base_url = f"http://{HOST}:{runner.addresses[0][1]}"

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_post("/v1/chat/completions", self._openai)
        app.router.add_post("/v1/messages", self._anthropic)
        app.router.add_get("/ledger", self._show_ledger)
        return app

    async def _show_ledger(self, _: web.Request) -> web.Response:
        return web.json_response([dataclasses.asdict(charge) for charge in self.ledger])

    async def _openai(self, http: web.Request) -> web.StreamResponse:
        return await self._serve(http, "openai")

    async def _anthropic(self, http: web.Request) -> web.StreamResponse:
        return await self._serve(http, "anthropic")

    async def _serve(self, http: web.Request, protocol: Protocol) -> web.StreamResponse:
        at = time.monotonic() - self._started
        raw = await http.read()
        with self._lock:
            self._requests += 1
            self._in_flight += 1
            self._most_in_flight = max(self._most_in_flight, self._in_flight)
        try:
            request = self._numbered(read_request(protocol, raw, http.headers))
            answer = self._answer(request)
            await asyncio.sleep(self._delay + answer.delay)
            response, delivered = await write_answer(http, answer)
        finally:
            with self._lock:
                self._in_flight -= 1
        with self._lock:
            self._ledger.append(Charge(request.sha256, answer.status, delivered, answer.charged, at))
        return response

    def _numbered(self, request: ScriptedRequest) -> ScriptedRequest:
        self._attempts[request.sha256] = attempt = self._attempts.get(request.sha256, 0) + 1
        return dataclasses.replace(request, n=self._requests, attempt=attempt)

    def _answer(self, request: ScriptedRequest) -> Answer:
        scripted = self._script(request)
        fault = scripted if isinstance(scripted, Fault) else None
        if fault is not None:
            scripted = default_script(request)
        text = scripted if isinstance(scripted, str) else json.dumps(scripted, ensure_ascii=False)
        key = request.headers.get("authorization", request.headers.get("x-api-key", "")).rpartition(" ")[2]
        size = sum(len(text) for _, text in request.messages)
        at = Circumstances(request.protocol, request.model, key, text, size)
        if fault is None:
            return at.reply()
        answer = RENDERERS[fault.name](fault, at)
        return dataclasses.replace(answer, delay=answer.delay + fault.late)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m generators.teachers.scripted", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--faults", type=float, default=0.0, help="share of attempts that go wrong, 0 to 1")
    parser.add_argument("--brief", action="store_true", help="faults without long pauses")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    options = parser.parse_args()
    faults = BRIEF if options.brief else PASSING
    script = with_faults(options.faults, options.seed, faults=faults) if options.faults else default_script
    with ScriptedTeacher(script, delay=options.delay, port=options.port) as teacher:
        sys.stdout.write(f"{teacher.base_url}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
