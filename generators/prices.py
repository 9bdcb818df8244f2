"""What a call costs: a maintained table, with the user's own prices over it.

    Prices().cost("openai/gpt-5-mini", input_tokens=1000, output_tokens=200) ─▶ 0.00065 | None where unknown

Local teachers cost 0. An unknown price is ``None``, never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of teachers by SPEC.

    Attributes:
        overrides: SPEC → (USD a million input tokens, USD a million output tokens); from ``[prices]`` of the settings.
    """

    overrides: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def cost(self, spec: str, input_tokens: int, output_tokens: int) -> float | None:
        """USD of one call with so many tokens; ``None`` where the price is unknown."""
        provider, _, model = spec.partition("/")
        if provider.startswith("local"):
            return 0.0
        if spec in self.overrides:
            per_input, per_output = self.overrides[spec]
            return (input_tokens * per_input + output_tokens * per_output) / 1_000_000
        from genai_prices import Usage, calc_price

        if provider == "litellm":
            provider, _, model = model.partition("/")
        try:
            price = calc_price(
                Usage(input_tokens=input_tokens, output_tokens=output_tokens), model, provider_id=provider
            )
        except LookupError:
            return None
        return float(price.total_price)
