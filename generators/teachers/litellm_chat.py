"""``litellm/ANYTHING``: every provider that LiteLLM knows, by its name there (``litellm/gemini/gemini-2.5-pro``).

An extra, imported with the first request (it takes seconds). LiteLLM finds keys and addresses by its own rules and
sends by its own client; its errors are mapped to ours by their status. Slower than ``openai/`` (155 requests/s instead
of 880 on one core): where a provider or gateway speaks OpenAI's API, prefer that.
"""

import asyncio
import importlib
import importlib.util
import json
import os
import time
from types import ModuleType
from typing import Any

from generators.errors import MissingExtraError, TeacherError
from generators.teachers import RawReply, Reply, Request, TeacherSettings
from generators.teachers.dialect import Dialect, Negotiation
from generators.teachers.error_bodies import Caller, failure_of, parse_error
from generators.teachers.failures import PermanentFailure, TransientFailure
from generators.teachers.openai_chat import decode_completion, strict_schema
from generators.teachers.wire import oversized


class LiteLLMTeacher:
    """See ``Teacher`` for the contract."""

    is_local = False
    slots = 0

    def __init__(self, model: str, spec: str, settings: TeacherSettings) -> None:
        if importlib.util.find_spec("litellm") is None:
            raise MissingExtraError(f"the teacher {spec}", "litellm")
        self.spec = spec
        self._model = model
        self._settings = settings
        # Whichever key it will use.
        keys = tuple(value for name, value in os.environ.items() if name.endswith(("_API_KEY", "_TOKEN")) and value)
        self._caller = Caller(spec, "through LiteLLM", "the provider's API key", "the provider's address", keys)
        self._negotiation = Negotiation(spec, Dialect())
        self._library: ModuleType | None = None
        self._importing = asyncio.Lock()

    async def send(self, request: Request) -> RawReply:
        """Make one attempt; ``FeatureRefused`` if the request is to be sent again, without a feature."""
        library = await self._import()
        dialect = self._negotiation.dialect_for(request)
        started = time.perf_counter()
        try:
            reply = await library.acompletion(**self._arguments(request, dialect))
        except TimeoutError as error:
            raise TransientFailure("total_timeout", maybe_charged=True) from error
        except Exception as error:
            raise self._failure(error, dialect, request) from error
        self._negotiation.worked(request, dialect)
        body = reply.model_dump_json(exclude_none=True).encode()
        if len(body) > self._settings.max_reply_bytes:
            raise oversized(self._settings.max_reply_bytes)
        return RawReply(body, 200, time.perf_counter() - started)

    def read(self, body: bytes) -> Reply:
        """Decode the body of a reply: LiteLLM renders all providers' as chat completions."""
        return decode_completion(body, self._model)

    async def aclose(self) -> None:
        """LiteLLM's clients are shared by the whole process."""

    async def _import(self) -> ModuleType:
        async with self._importing:
            if self._library is None:
                self._library = await asyncio.to_thread(_import_library)
        return self._library

    def _arguments(self, request: Request, dialect: Dialect) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": turn.role, "content": turn.content} for turn in dialect.messages_of(request)],
            "max_completion_tokens" if dialect.new_limit_name else "max_tokens": request.max_tokens,
            "timeout": self._settings.total_seconds,
            "num_retries": 0,
            "max_retries": 0,
        }
        schema = dialect.schema_of(request)
        if schema is not None:
            json_schema = {"name": request.schema_name, "strict": True, "schema": strict_schema(schema)}
            arguments["response_format"] = {"type": "json_schema", "json_schema": json_schema}
        if request.temperature is not None and dialect.temperature:
            arguments["temperature"] = request.temperature
        if request.wire_seed is not None and dialect.seed:
            arguments["seed"] = request.wire_seed
        return arguments

    def _failure(self, error: Exception, dialect: Dialect, request: Request) -> Exception:
        """What an error means."""
        status = getattr(error, "status_code", None)
        if not isinstance(status, int):
            return error  # No answer of a provider: a bug, here or there, which keeps its traceback.
        body = json.dumps({"error": {"message": str(error), "code": getattr(error, "code", None)}}).encode()
        headers = getattr(error, "litellm_response_headers", None) or {}
        failure = failure_of(status, headers, body, self._caller)
        if isinstance(failure, PermanentFailure) and failure.reason == "bad_request":
            return self._negotiation.refused(request, dialect, parse_error(body, self._caller.secrets)) or failure
        return failure


def _import_library() -> ModuleType:
    # Prices are ours to look up: no download at import.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        library = importlib.import_module("litellm")
    except ImportError as error:
        again = "reinstall it: pip install 'factory-qa[litellm]'"
        raise TeacherError(f"LiteLLM does not load ({error}); {again}") from error
    vars(library).update(telemetry=False, suppress_debug_info=True)
    return library
