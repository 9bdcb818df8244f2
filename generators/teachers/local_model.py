"""``local/NAME`` and ``local:/path/to.gguf``: a model inside this process, through llama.cpp (xllamacpp).

llama.cpp's own server runs on threads beside the interpreter and works on several requests at once. It cannot be
kept from listening, so it listens on a socket file in a folder of our own that nobody else may enter, and asks for a
password besides. Asking it through that socket rather than through calls on threads lets a request be abandoned: the
connection closes and the slot is free.

Measured with Qwen2.5-Coder-0.5B (Q4_K_M) on two cores, 350-token prompts, JSON schema: prompts 150 tokens/s (less the
common beginning, which each slot computes once), replies 38, 45, 55, 63 tokens/s in total with 1, 4, 8, 16 slots.
Guessing ahead from the prompt (n-gram speculation) is no faster on a CPU, though half of the guesses are right: a
guessed token costs as much as one of a prompt. Nor are a shared cache for all slots, other batch sizes, or flash
attention switched on or off. Forcing JSON without white space saves a seventh of the tokens, but then the small model
quotes far less faithfully.

Repeatable: the seed is fixed where the request has none. The same request gets the same reply as long as llama.cpp
computes it in the same company; with several slots, which requests share a batch depends on timing, and the last bits
of the numbers on the batch. Whoever needs equal bytes from an empty journal takes one slot.
"""

import asyncio
import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp

from generators.errors import MissingExtraError, UsageError
from generators.teachers import RawReply, Reply, Request, TeacherSettings
from generators.teachers.cores import usable_cores
from generators.teachers.error_bodies import Caller, failure_of
from generators.teachers.failures import PermanentFailure, TransientFailure
from generators.teachers.openai_chat import decode_completion

SLOTS = 8
CONTEXT_TOKENS = 4096
TEMPLATE_TOKENS = 32  # What a chat template adds around a message, at most.
MAGIC = b"GGUF"


def open_local(model: str, spec: str, settings: TeacherSettings) -> "LocalTeacher":
    """Find the weights (fetched first if they are a known name), without loading them.

    Args:
        model: A name as in ``factory models list``, or ``path:`` and a path.
        spec: As the user wrote it.
        settings: Threads, slots and context.

    Raises:
        MissingExtraError: llama.cpp is not installed.
        UsageError: No such name or file, or the file is no GGUF.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtraError("a local teacher", "local")
    if model.startswith("path:"):
        path = Path(model.removeprefix("path:")).expanduser()
    else:
        from generators.models import local_path

        path = local_path(model)
    try:
        with path.open("rb") as file:
            found = file.read(len(MAGIC))
    except OSError as error:
        raise UsageError(f"{spec}: cannot read {path} ({error.strerror}); give the path of a .gguf file") from error
    if found != MAGIC:
        raise UsageError(f"{spec}: {path} is no GGUF file; give the path of a .gguf file")
    return LocalTeacher(path, spec, settings)


class LocalTeacher:
    """See ``Teacher`` for the contract. The model is loaded by the first request, or by ``load``."""

    is_local = True

    def __init__(self, path: Path, spec: str, settings: TeacherSettings) -> None:
        self.spec = spec
        self.slots = settings.slots or SLOTS
        self._path = path
        self._settings = settings
        self._context = settings.context_tokens or CONTEXT_TOKENS
        self._caller = Caller(spec, str(path), "nothing", "the path")
        self._loading = asyncio.Lock()
        self._engine: Engine | None = None
        self._session: aiohttp.ClientSession | None = None

    async def load(self) -> None:
        """Load the model, which takes a second or more, if it is not loaded."""
        async with self._loading:
            if self._session is None:
                self._engine = await asyncio.to_thread(
                    Engine, self._path, self.spec, self._settings.threads, self.slots, self._context
                )
                self._session = self._engine.session(self._settings)

    async def send(self, request: Request) -> RawReply:
        """Let the model answer; a request beyond ``slots`` waits for its turn."""
        await self.load()
        await self._check_room(request)
        return await self._post("/v1/chat/completions", body_of(request))

    def read(self, body: bytes) -> Reply:
        """Decode the body of a reply."""
        return decode_completion(body, self._path.stem)

    async def aclose(self) -> None:
        """Give up what is being answered and free the memory."""
        session, engine = self._session, self._engine
        self._session = self._engine = None
        if session is not None:
            await session.close()
        if engine is not None:
            await asyncio.to_thread(engine.close)

    async def _check_room(self, request: Request) -> None:
        """Refuse what would be cut off in the middle; counted only if it could be too long."""
        overhead = TEMPLATE_TOKENS * (len(request.messages) + 1) + request.max_tokens
        text = "\n".join(message.content for message in request.messages)
        if len(text.encode("utf-8", "replace")) + overhead <= self._context:
            return  # A token is at least a byte.
        counted = await self._post("/tokenize", {"content": text})
        needed = len(json.loads(counted.body)["tokens"]) + overhead
        if needed > self._context:
            raise PermanentFailure("context_overflow", f"needs {needed:,} tokens of {self._context:,}")

    async def _post(self, path: str, body: dict[str, Any]) -> RawReply:
        if self._session is None:
            raise TransientFailure("disconnected", detail="the local model is closed")
        started = time.perf_counter()
        try:
            async with self._session.post(f"http://local{path}", json=body) as response:
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TransientFailure("disconnected", detail=f"{self._path.name}: {error!r}"[:300]) from error
        if response.status != 200:
            raise failure_of(response.status, response.headers, content, self._caller)
        return RawReply(content, 200, time.perf_counter() - started)


class Engine:
    """llama.cpp with one model, and the socket to reach it."""

    def __init__(self, path: Path, spec: str, threads: int, slots: int, context: int) -> None:
        folder = tempfile.mkdtemp(prefix="factory-")  # Mode 0700.
        self._server: list[Any] = []
        # Also at the interpreter's end: threads of C++ that outlive it make it abort.
        self.close = weakref.finalize(self, _release, self._server, folder)
        self._socket = f"{folder}/model.sock"
        self._password = secrets.token_hex(16)
        engine = import_engine(spec)
        parameters = engine.CommonParams()
        parameters.model.path = str(path)
        parameters.model_alias = {path.stem}
        parameters.n_parallel = slots
        parameters.n_ctx = context * slots  # Divided among the slots.
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads or usable_cores()
        parameters.n_threads_http = slots + 4
        parameters.cache_ram_mib = 0
        parameters.warmup = False
        parameters.verbosity = 0
        parameters.hostnames = [self._socket]
        parameters.api_keys = [self._password]
        try:
            self._server.append(engine.Server(parameters))
        except RuntimeError as error:
            self.close()
            raise UsageError(
                f"{spec}: llama.cpp cannot load {path}: a damaged file, an unknown kind of model, or too little memory"
            ) from error

    def session(self, settings: TeacherSettings) -> aiohttp.ClientSession:
        """A client in the running event loop. Requests wait for slots, so only their count limits their time."""
        return aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(self._socket, limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_seconds),
            headers={"Authorization": f"Bearer {self._password}"},
        )


def body_of(request: Request) -> dict[str, Any]:
    """The request as llama.cpp takes it, whole schema included: it bounds lengths, too."""
    body: dict[str, Any] = {
        "messages": [{"role": turn.role, "content": turn.content} for turn in request.messages],
        "max_tokens": request.max_tokens,
        "seed": request.wire_seed or 0,
        "cache_prompt": True,
    }
    if request.schema is not None:
        json_schema = {"name": request.schema_name, "strict": True, "schema": request.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": json_schema}
    if request.temperature is not None:
        body["temperature"] = request.temperature
    return body


def import_engine(spec: str) -> Any:  # noqa: ANN401 - a module without types
    """Load llama.cpp.

    Raises:
        UsageError: A library of the system that it needs is missing.
    """
    try:
        with _patient_threads():
            import xllamacpp
    except ImportError as error:
        raise UsageError(f"{spec}: llama.cpp does not load ({error}); on Debian: apt-get install libgomp1") from error
    return xllamacpp


@contextlib.contextmanager
def _patient_threads() -> Iterator[None]:
    """Let threads sleep while they wait for each other.

    They would spin, which is no slower on an idle machine, but five times slower on one where other programs run: each
    waits for a partner that does not get a core. The OpenMP library reads this once, when it is loaded.
    """
    before = os.environ.get("OMP_WAIT_POLICY")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_WAIT_POLICY"]


def _release(server: list[Any], folder: str) -> None:
    server.clear()
    shutil.rmtree(folder, ignore_errors=True)
