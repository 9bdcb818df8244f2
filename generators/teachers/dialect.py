"""What a server understands of the API that it speaks, learnt from its refusals.

    a refused request ─▶ simpler ─▶ a Dialect without the refused feature, or None

Servers that speak OpenAI's API differ: some take no JSON schema, some no ``max_tokens``, some no temperature. The
richest dialect is tried first; what a server refuses it is not offered again.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from generators.teachers import Message, Request
from generators.teachers.error_bodies import ErrorBody
from generators.teachers.failures import FeatureRefused

log = logging.getLogger(__name__)

SCHEMA_WORDS = ("response_format", "json_schema", "schema", "structured", "output_config", "output_format", "grammar")
REFUSAL_WORDS = (
    "support",
    "not permitted",
    "forbidden",
    "unrecognized",
    "unknown",
    "unexpected",
    "deprecated",
    "not allowed",
    "not available",
    "only the default",
    "extra",
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which features to use. ``proven``: a reply to a request with a native schema has come back."""

    native_schema: bool = True
    new_limit_name: bool = False
    temperature: bool = True
    seed: bool = True
    proven: bool = False

    def narrowed(self, worked: "Dialect", *, proven: bool) -> "Dialect":
        """Without what a request that worked had to leave out."""
        if worked is self and (self.proven or not proven):
            return self
        return Dialect(
            native_schema=self.native_schema and worked.native_schema,
            new_limit_name=self.new_limit_name or worked.new_limit_name,
            temperature=self.temperature and worked.temperature,
            seed=self.seed and worked.seed,
            proven=self.proven or proven,
        )

    def schema_of(self, request: Request) -> Mapping[str, Any] | None:
        """The schema to send natively, if any."""
        return request.schema if self.native_schema else None

    def messages_of(self, request: Request) -> tuple[Message, ...]:
        """The messages to send: with the schema in the system message if it cannot be sent natively."""
        if self.native_schema or request.schema is None:
            return request.messages
        rule = schema_in_words(request.schema)
        first, rest = request.messages[:1], request.messages[1:]
        if first and first[0].role == "system":
            return (Message("system", f"{first[0].content}\n\n{rule}"), *rest)
        return (Message("system", rule), *request.messages)


class Negotiation:
    """In which dialect each request is sent: what the server is known to take, or one that is being tried."""

    def __init__(self, spec: str, richest: Dialect) -> None:
        self._spec = spec
        self._known = richest
        self._tried: dict[str, Dialect] = {}

    def dialect_for(self, request: Request) -> Dialect:
        """The dialect of the next attempt."""
        return self._tried.pop(request.identity(self._spec), self._known) if self._tried else self._known

    def refused(self, request: Request, dialect: Dialect, error: ErrorBody) -> FeatureRefused | None:
        """Try a simpler one when the request is sent again; None if it was refused for no feature of ours."""
        found = simpler(dialect, error, request)
        if found is None:
            return None
        self._tried[request.identity(self._spec)] = found
        log.info("%s refused a request (%s); trying a simpler one", self._spec, error.message)
        return FeatureRefused(error.message)

    def worked(self, request: Request, dialect: Dialect) -> None:
        """Remember what worked, so that the next request is not refused first."""
        learnt = self._known.narrowed(dialect, proven=dialect.schema_of(request) is not None)
        if self._known.native_schema and not learnt.native_schema:
            log.warning("%s takes no JSON schema; asking for JSON in the prompt instead", self._spec)
        self._known = learnt


def schema_in_words(schema: Mapping[str, Any]) -> str:
    """Ask for JSON of a schema in the prompt."""
    written = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return (
        "Reply with one JSON object and nothing else: no introduction, no code fence."
        f" It must follow this JSON schema:\n{written}"
    )


def simpler(dialect: Dialect, error: ErrorBody, request: Request) -> Dialect | None:
    """Leave out what a refused request was refused for; None if that was no feature of ours."""
    refused = any(word in error.text for word in REFUSAL_WORDS)
    if refused and request.temperature is not None and dialect.temperature and "temperature" in error.text:
        return replace(dialect, temperature=False)
    if refused and request.wire_seed is not None and dialect.seed and "seed" in error.text:
        return replace(dialect, seed=False)
    if refused and not dialect.new_limit_name and "max_tokens" in error.text:
        return replace(dialect, new_limit_name=True)
    if request.schema is None or not dialect.native_schema:
        return None
    # A server that has never answered a request with a schema may refuse it in words we do not know.
    if any(word in error.text for word in SCHEMA_WORDS) or not dialect.proven:
        return replace(dialect, native_schema=False)
    return None
