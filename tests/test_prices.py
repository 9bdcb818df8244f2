"""What a call costs: listed, the user's own, nothing, or unknown."""

import time

import pytest

from generators.prices import Prices


@pytest.mark.parametrize(
    "spec",
    [
        "openai/gpt-4o-mini",
        "litellm/openai/gpt-4o-mini",
        "litellm/gpt-4o-mini",
        "litellm/openrouter/openai/gpt-4o-mini",
    ],
)
def test_listed_models_cost_the_same_by_whatever_way_they_are_named(spec):
    assert Prices().cost(spec, 1_000_000, 1_000_000) == pytest.approx(0.15 + 0.60)


def test_many_small_calls_cost_no_more_than_each_of_them():
    one = Prices().cost("anthropic/claude-sonnet-4-5", 1000, 100)
    assert Prices().cost("anthropic/claude-sonnet-4-5", 10_000_000, 1_000_000) == pytest.approx(10_000 * one)


@pytest.mark.parametrize("spec", ["openai/my-own", "openai/", "litellm/ollama/llama3", "localhost/x", "nonsense"])
def test_an_unknown_price_is_none_and_never_nothing(spec):
    assert Prices().cost(spec, 1, 1) is None
    assert Prices().cost(spec, 0, 0) is None


@pytest.mark.parametrize("spec", ["local/qwen2.5-coder-0.5b", "local:/models/my.gguf"])
def test_local_models_cost_nothing(spec):
    assert Prices().cost(spec, 1000, 1000) == 0.0


def test_the_users_prices_go_first():
    prices = Prices({"openai/gpt-4o-mini": (1.0, 2.0), "openai/my-own": (0.0, 0.0)})
    assert prices.cost("openai/gpt-4o-mini", 1_000_000, 500_000) == 2.0
    assert prices.cost("openai/my-own", 1000, 1000) == 0.0


def test_a_price_takes_no_time_after_the_first():
    Prices().cost("openai/gpt-4o-mini", 1, 1)
    started = time.process_time()
    for _ in range(10_000):
        Prices().cost("openai/gpt-4o-mini", 1, 1)
    assert time.process_time() - started < 0.5
