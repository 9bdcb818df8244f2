"""What is trained, and how: the settings of a run, its presets, and the adapter itself.

TrainConfig + size of the base ─▶ Recipe;   model + Recipe ─▶ model with a LoRA adapter

The defaults follow "LoRA Without Regret": every linear layer, and about ten times the rate of full fine-tuning; small
models take more rank and more rate. ``guide`` is the textbook example.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from generators.errors import UsageError
from trainers.machine import Quantize

Preset = Literal["default", "guide"]
Method = Literal["sft"]
METHODS: tuple[str, ...] = ("sft",)
PRESETS: tuple[str, ...] = ("default", "guide")
QUANTIZE: tuple[str, ...] = ("none", "8bit", "4bit")
CONTEXTS: tuple[str, ...] = ("none", "chunk")
_SLACK = 0.02  # a token may become two percent less likely
# Up to so many parameters: rank, rate, epochs. The scale (alpha) is twice the rank.
_BY_SIZE = ((300e6, 64, 1e-3, 5), (2e9, 64, 5e-4, 4), (float("inf"), 32, 2e-4, 3))


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """The table ``[train]`` of ``factory.toml``; 0 leaves it to the preset or the machine (dropout, slack: below 0).

    Attributes:
        rank: Of the adapter.
        alpha: Its scale.
        dropout: Share of the adapter's inputs that are dropped.
        rate: The highest learning rate.
        batch: Rows of one step.
        micro_batch: Rows computed at once; smaller ones need less memory and change nothing else.
        warmup: Share of the steps over which the rate rises.
        patience: Evaluations without a better one after which training ends early.
        slack: Nats a token that the validation loss may rise for the adapter to be scaled down against forgetting.
        max_tokens: Longer rows are left out.
        checkpoint_seconds: Time between checkpoints besides those at the end of each epoch.
        replay_share: Rows of other kinds mixed in against forgetting, as a share of the training rows.
        replay_file: JSONL of such rows, in the form of ``train.jsonl``; without one they are what the base itself
            answers to ordinary questions (``trainers.replay``).
    """

    rank: int = 0
    alpha: int = 0
    dropout: float = -1.0
    rate: float = 0.0
    batch: int = 16
    micro_batch: int = 0
    warmup: float = 0.05
    patience: int = 2
    slack: float = -1.0
    max_tokens: int = 2048
    checkpoint_seconds: float = 120.0
    replay_share: float = 0.25
    replay_file: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the adapter, besides the base, the rows and the machine.

    ``onward``: sha256 of the adapter that it goes on from; empty for a new one.
    """

    rank: int
    alpha: int
    dropout: float
    rate: float
    epochs: int
    layers: str
    batch: int
    warmup: float
    patience: int
    slack: float
    max_tokens: int
    replay_share: float
    seed: int
    quantize: Quantize
    method: str
    context: str
    onward: str = ""


def recipe_for(
    parameters: int,
    config: TrainConfig,
    *,
    preset: str = "default",
    epochs: int = 0,
    seed: int = 0,
    quantize: str = "none",
    method: str = "sft",
    context: str = "none",
) -> Recipe:
    """Settle a run's settings for a base of so many parameters; ``epochs`` 0 leaves them to its size.

    Raises:
        UsageError: A setting is none of its choices.
    """
    for name, value, choices in (
        ("preset", preset, PRESETS),
        ("quantize", quantize, QUANTIZE),
        ("method", method, METHODS),
        ("context", context, CONTEXTS),
    ):
        if value not in choices:
            raise UsageError(f"{name} = {value!r} is none of: {', '.join(choices)}")
    guide = preset == "guide"
    _, rank, rate, usual = next(entry for entry in _BY_SIZE if parameters <= entry[0])
    rank = config.rank or (16 if guide else rank)
    return Recipe(
        rank=rank,
        alpha=config.alpha or 2 * rank,
        dropout=config.dropout if config.dropout >= 0 else 0.05 if guide else 0.0,
        rate=config.rate or (2e-4 if guide else rate),
        epochs=epochs or (3 if guide else usual),
        layers="q_proj, v_proj" if guide else "all-linear",
        batch=config.batch,
        warmup=config.warmup,
        patience=config.patience,
        slack=config.slack if config.slack >= 0 else 0.0 if guide else _SLACK,
        max_tokens=config.max_tokens,
        replay_share=config.replay_share,
        seed=seed,
        quantize=cast("Quantize", quantize),
        method=method,
        context=context,
    )


def adapter_size(config: dict[str, Any], recipe: Recipe) -> int:
    """Estimate the adapter's parameters from the base's ``config.json``."""
    hidden, layers = int(config["hidden_size"]), int(config["num_hidden_layers"])
    inner = int(config.get("intermediate_size") or 4 * hidden)
    pairs = 4 * hidden if recipe.layers != "all-linear" else 4 * 2 * hidden + 3 * (hidden + inner)
    return recipe.rank * pairs * layers


def add_adapter(model: Any, recipe: Recipe, base_spec: str, onward: Path | None = None) -> Any:  # noqa: ANN401
    """Put a LoRA adapter on the model: float32, a new one from the seed, or with the weights of the folder ``onward``.

    Raises:
        UsageError: The base has no layers of the names that the preset trains.
    """
    from peft import LoraConfig, get_peft_model, load_peft_weights, set_peft_model_state_dict
    from transformers import set_seed

    set_seed(recipe.seed)
    settings = LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=recipe.layers if recipe.layers == "all-linear" else recipe.layers.split(", "),
    )
    try:
        adapted = get_peft_model(model, settings)
    except ValueError as error:
        raise UsageError(f"{base_spec} has no layers named {recipe.layers}: use --preset default") from error
    adapted.peft_config["default"].base_model_name_or_path = base_spec  # not a path of this machine
    if onward is not None:
        set_peft_model_state_dict(adapted, load_peft_weights(str(onward), device="cpu"))
    return adapted
