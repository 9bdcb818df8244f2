"""What a run has used, and the caps that end it.

Spent.add(entry), Budget.commit(…) ─▶ Budget.reached: empty, or which cap was met
"""

from dataclasses import dataclass

from generators.journal import Entry
from generators.prices import Prices
from generators.teachers import Reply, Request
from generators.tokens import count_tokens


@dataclass(slots=True)
class Spent:
    """What a run has used so far. ``cost_usd`` is ``None`` once a call's price was unknown.

    Attributes:
        requests: Replies that were asked for now.
        cached: Replies that came from the journal.
        input_tokens, output_tokens: As the provider counted them.
        cost_usd: Of those replies.
        seconds: Waiting for them, added up.
        maybe_paid: Attempts that failed and may have to be paid all the same; no part of the above.
    """

    requests: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0
    maybe_paid: int = 0

    def add(self, entry: Entry) -> None:
        """Count one reply that was asked for now."""
        self.requests += 1
        self.input_tokens += entry.input_tokens
        self.output_tokens += entry.output_tokens
        self.seconds += entry.latency
        if self.cost_usd is not None:
            self.cost_usd = None if entry.cost_usd is None else self.cost_usd + entry.cost_usd


@dataclass(slots=True)
class Budget:
    """The caps of one run, held also where the server does not say what it counted: then that is estimated.

    Attributes:
        prices: For the money.
        spec: The teacher's SPEC.
        max_cost: USD; None for no cap.
        max_tokens: Of prompts and replies together; None for no cap.
    """

    prices: Prices
    spec: str
    max_cost: float | None = None
    max_tokens: int | None = None
    _cost: float = 0.0
    _tokens: int = 0
    _replies: int = 0
    _written: int = 0

    @property
    def reached(self) -> str:
        """Which cap was met, as the person set it; empty if none."""
        if self.max_cost is not None and self._cost >= self.max_cost:
            return f"--max-cost {self.max_cost} USD"
        if self.max_tokens is not None and self._tokens >= self.max_tokens:
            return f"--max-tokens {self.max_tokens}"
        return ""

    def commit(self, request: Request, reply: Reply, entry: Entry) -> None:
        """Count a reply against the caps."""
        if self._open:
            return
        prompt = _prompt_tokens(request) if reply.input_tokens is None else reply.input_tokens
        written = count_tokens(reply.text) if reply.output_tokens is None else reply.output_tokens
        self._replies += 1
        self._written += written
        self._add(prompt, written, entry.cost_usd)

    def commit_unseen(self, request: Request) -> None:
        """Count an attempt that may be charged without a reply: as much as replies are long so far, or may be."""
        if self._open:
            return
        written = self._written // self._replies if self._replies else request.max_tokens
        self._add(_prompt_tokens(request), written, None)

    @property
    def _open(self) -> bool:
        return self.max_cost is None and self.max_tokens is None

    def _add(self, prompt: int, written: int, cost: float | None) -> None:
        self._tokens += prompt + written
        known = self.prices.cost(self.spec, prompt, written) if cost is None else cost
        self._cost += known or 0.0


def _prompt_tokens(request: Request) -> int:
    return sum(count_tokens(message.content) for message in request.messages)
