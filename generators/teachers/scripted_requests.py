"""Requests as the script of a scripted teacher sees them, and scripts to begin with.

body + headers ─▶ read_request ─▶ ScriptedRequest ─▶ script ─▶ text, Fault, or something for json.dumps
"""

import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generators.teachers.bodies import dict_of, text_of
from generators.teachers.scripted_faults import PASSING, Fault, Protocol
from generators.teachers.scripted_replies import facts_of


@dataclass(frozen=True, slots=True)
class ScriptedRequest:
    """A request as the script sees it.

    Attributes:
        protocol: Which of the two APIs it came through.
        model: As named in it.
        messages: (role, text) in order; Anthropic's system prompt comes first, as a system message.
        schema: The native JSON schema, or None.
        headers: Names in lower case.
        n: 1 for the first request of the server's life, and so on.
        attempt: 1 for the first request with these very bytes, and so on.
        sha256: Of the body's bytes.
        body: Decoded.
    """

    protocol: Protocol
    model: str
    messages: tuple[tuple[str, str], ...]
    schema: Mapping[str, Any] | None
    headers: Mapping[str, str]
    n: int
    attempt: int
    sha256: str
    body: Mapping[str, Any]

    @property
    def user(self) -> str:
        """The text of the last user message."""
        return next((text for role, text in reversed(self.messages) if role == "user"), "")


def read_request(protocol: Protocol, raw: bytes, given: Mapping[str, str]) -> ScriptedRequest:
    """Decode a request; whoever keeps count numbers it."""
    body = dict_of(json.loads(raw))
    turns = [(str(turn.get("role")), text_of(turn.get("content"))) for turn in body.get("messages", ())]
    if protocol == "openai":
        schema = dict_of(dict_of(body.get("response_format")).get("json_schema")).get("schema")
    else:
        schema = dict_of(dict_of(body.get("output_config")).get("format")).get("schema")
        turns = [("system", text_of(body["system"])), *turns] if body.get("system") else turns
    headers = {name.lower(): value for name, value in given.items()}
    sha256 = hashlib.sha256(raw).hexdigest()
    return ScriptedRequest(protocol, str(body.get("model")), tuple(turns), schema, headers, 0, 0, sha256, body)


Script = Callable[[ScriptedRequest], object]


def default_script(request: ScriptedRequest) -> str:
    """Quote facts from the user message."""
    tag = str(request.body.get("seed") or dict_of(request.body.get("metadata")).get("user_id") or "0")
    return facts_of(request.user, request.schema, int(tag.rpartition("-")[2]) if tag[-1:].isdigit() else 0)


def with_faults(rate: float, seed: int, script: Script = default_script, faults: Sequence[Fault] = PASSING) -> Script:
    """Mix passing faults into a script, by the request's bytes: the same run meets the same faults.

    Args:
        rate: Share of attempts that go wrong, 0 to 1.
        seed: Another seed hits other requests.
        script: What answers the rest.
        faults: What is mixed in.
    """

    def mixed(request: ScriptedRequest) -> object:
        chance = random.Random(f"{seed} {request.sha256} {request.attempt}")  # noqa: S311 - no secret
        return chance.choice(faults) if chance.random() < rate else script(request)

    return mixed
