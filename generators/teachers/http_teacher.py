"""A teacher behind HTTP: one attempt a request, in the richest dialect that its server understands.

What differs between providers (address, headers, bodies) is a ``Provider``; see ``openai_chat.py``.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Protocol

from generators.errors import FactoryError
from generators.teachers import RawReply, Reply, Request, TeacherSettings
from generators.teachers.dialect import Dialect, Negotiation
from generators.teachers.error_bodies import Caller, failure_of, parse_error
from generators.teachers.failures import PermanentFailure, RequestFailure
from generators.teachers.keys import checked_headers
from generators.teachers.sunset import sunset_of
from generators.teachers.wire import Answer, Wire


class Provider(Protocol):
    """What a provider's file knows.

    Attributes:
        url: The endpoint.
        key_variable: Where its key comes from.
        base_variable: Where its address comes from.
        secrets: What must stand in no message.
        reply_mark: Bytes that each reply has and no error has.
        dialect: What to try first.
    """

    url: str
    key_variable: str
    base_variable: str
    secrets: tuple[str, ...]
    reply_mark: bytes
    dialect: Dialect

    def headers(self) -> Mapping[str, str]:
        """All headers of a request; may import the SDK, which takes seconds."""

    def encode(self, request: Request, dialect: Dialect) -> bytes:
        """The body of a request."""

    def decode(self, body: bytes) -> Reply:
        """The reply in a body; pure."""


class HttpTeacher:
    """See ``Teacher`` for the contract."""

    is_local = False
    slots = 0

    def __init__(self, provider: Provider, spec: str, settings: TeacherSettings) -> None:
        self.spec = spec
        self._provider = provider
        self._wire = Wire(provider.url, settings, spec, provider.base_variable)
        self._caller = Caller(spec, self._wire.place, provider.key_variable, provider.base_variable, provider.secrets)
        self._negotiation = Negotiation(spec, provider.dialect)
        self._headers: Mapping[str, str] | None = None
        self._opening = asyncio.Lock()

    async def send(self, request: Request) -> RawReply:
        """Make one attempt; ``FeatureRefused`` if the request is to be sent again, without a feature."""
        headers = self._headers or await self._open()
        dialect = self._negotiation.dialect_for(request)
        answer = await self._wire.post(self._provider.encode(request, dialect), headers)
        if not self._is_reply(answer):
            raise self._failure(answer, dialect, request)
        self._negotiation.worked(request, dialect)
        sunset = sunset_of(answer.headers, answer.body)
        return RawReply(answer.body, answer.status, answer.latency, sunset)

    def read(self, body: bytes) -> Reply:
        """Decode the body of a reply."""
        return self._provider.decode(body)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wire.aclose()

    async def _open(self) -> Mapping[str, str]:
        """Load the SDK aside, so that what else runs in the loop is not held up."""
        async with self._opening:
            if self._headers is None:
                self._headers = checked_headers(await asyncio.to_thread(self._provider.headers), self.spec)
        return self._headers

    def _is_reply(self, answer: Answer) -> bool:
        """Some gateways answer 200 and mean an error."""
        if answer.status != 200:
            return False
        return self._provider.reply_mark in answer.body or b'"error"' not in answer.body

    def _failure(self, answer: Answer, dialect: Dialect, request: Request) -> RequestFailure | FactoryError:
        """What an answer means that is no reply."""
        failure = failure_of(_status(answer), answer.headers, answer.body, self._caller)
        if not (isinstance(failure, PermanentFailure) and failure.reason == "bad_request"):
            return failure
        error = parse_error(answer.body, self._caller.secrets)
        return self._negotiation.refused(request, dialect, error) or failure


def _status(answer: Answer) -> int:
    """The status that an answer means: that of its body if HTTP's is 200."""
    if answer.status != 200:
        return answer.status
    try:
        code = json.loads(answer.body)["error"]["code"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return 500
    return code if isinstance(code, int) and 400 <= code < 600 else 500
