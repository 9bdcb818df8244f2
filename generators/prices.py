"""What a call costs: a maintained table, with the user's own prices over it.

    Prices().cost("openai/gpt-5-mini", input_tokens=1000, output_tokens=200) ─▶ 0.00065 | None where unknown

Local teachers cost 0. An unknown price is ``None``, never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

# Some models cost more in calls of 128,000 tokens and up; ours are of this order.
_TOKENS_OF_A_CALL = 1000


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of teachers by SPEC.

    Attributes:
        overrides: SPEC → (USD a million input tokens, USD a million output tokens); from ``[prices]`` of the settings.
    """

    overrides: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def cost(self, spec: str, input_tokens: int, output_tokens: int) -> float | None:
        """USD of calls with so many tokens in all; ``None`` where the price is unknown."""
        if spec.startswith(("local/", "local:")):
            return 0.0
        rates = self.overrides.get(spec) or _listed(spec)
        if rates is None:
            return None
        return (input_tokens * rates[0] + output_tokens * rates[1]) / 1_000_000


@lru_cache
def _listed(spec: str) -> tuple[float, float] | None:
    """The table's prices, as USD a million tokens; looking one up takes as long as all else about a request."""
    from genai_prices import Usage, calc_price

    provider, _, model = spec.partition("/")
    if provider == "litellm":
        provider, _, model = model.partition("/") if "/" in model else ("", "", model)
    try:
        each = [
            calc_price(usage, model, provider_id=provider or None).total_price * 1_000_000 / _TOKENS_OF_A_CALL
            for usage in (
                Usage(input_tokens=_TOKENS_OF_A_CALL, output_tokens=0),
                Usage(input_tokens=0, output_tokens=_TOKENS_OF_A_CALL),
            )
        ]
    except LookupError:
        return None
    return float(each[0]), float(each[1])
