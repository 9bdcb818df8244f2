"""How much of what an adapter learned is kept: no more than the validation rows ask for.

    trained model + its adapter + slack ─▶ Kept(folder, strength, validation loss)

Training goes on long after the documents are known, and all that while the student strays from its base. So the adapter
is scaled down (the point between base and student is taken, as in WiSE-FT, arXiv 2109.01903) as far as the validation
loss stays within ``slack`` of the best: other wordings of what was trained are still answered, and less is forgotten.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainers.machine import is_main

STEPS = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)


@dataclass(frozen=True, slots=True)
class Kept:
    """The adapter that is published.

    Attributes:
        folder: Its weights and configuration.
        strength: What its learned change is multiplied by, 0.5 to 1.
        loss: Validation loss, in nats a token.
    """

    folder: Path
    strength: float
    loss: float


def weakened(model: Any, adapter: Path, slack: float, loss: Callable[[], float], to: Path) -> Kept:  # noqa: ANN401
    """Choose the least strength that validation allows, and write the adapter so.

    Args:
        model: The base with an adapter of this shape; it has these weights, so scaled, afterwards.
        adapter: Folder of the weights to scale.
        slack: Nats a token that the validation loss may rise.
        loss: Takes the model's validation loss as it stands.
        to: Where a scaled adapter is written; where nothing is scaled, ``adapter`` is kept.
    """
    from peft import load_peft_weights, set_peft_model_state_dict

    learned = load_peft_weights(str(adapter), device="cpu")

    def scale(strength: float) -> None:
        parts = {name: weights * strength if ".lora_B." in name else weights for name, weights in learned.items()}
        set_peft_model_state_dict(model, parts)

    scale(1.0)
    strength, best = 1.0, loss()
    kept = best
    for less in STEPS:
        scale(less)
        found = loss()
        if not found <= best + slack:  # also where it is no number
            break
        strength, kept = less, found
    scale(strength)
    if strength == 1.0:
        return Kept(adapter, strength, kept)
    if is_main():
        model.save_pretrained(to)
    return Kept(to, strength, kept)
