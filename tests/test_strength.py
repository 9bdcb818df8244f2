"""An adapter is scaled down as far as validation allows, and no further."""

import math
from types import SimpleNamespace

import pytest
from students import write_base
from test_training import Notes, job_for

pytest.importorskip("trl")
import torch
from peft import load_peft_weights

from trainers.base import find_base, load_model
from trainers.guard import best_of
from trainers.lora import TrainConfig, add_adapter, recipe_for
from trainers.machine import find_device
from trainers.strength import weakened
from trainers.train import train


@pytest.fixture(scope="module")
def base_folder(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("bases") / "tiny")


@pytest.fixture
def learned(tmp_path, base_folder):
    """A model whose adapter has changed it, its folder, and a loss that says how much of that change is missing."""
    base = find_base(str(base_folder))
    model = add_adapter(
        load_model(base, "none", find_device()), recipe_for(base.parameters, TrainConfig(rank=4)), base.spec
    )
    parts = [weights for name, weights in model.named_parameters() if "lora_B" in name]
    for weights in parts:
        torch.nn.init.normal_(weights, std=0.1, generator=torch.Generator().manual_seed(1))
    model.save_pretrained(tmp_path / "learned")
    whole = sum(float(weights.detach().norm()) for weights in parts)

    def missing():
        return 1 - sum(float(weights.detach().norm()) for weights in parts) / whole

    return SimpleNamespace(model=model, folder=tmp_path / "learned", missing=missing, to=tmp_path / "less")


def test_the_least_strength_that_validation_allows_is_kept(learned):
    kept = weakened(learned.model, learned.folder, 0.22, learned.missing, learned.to)
    assert (kept.folder, kept.strength) == (learned.to, 0.8)
    assert math.isclose(kept.loss, 0.2, abs_tol=1e-4)
    before, after = (load_peft_weights(str(folder), device="cpu") for folder in (learned.folder, kept.folder))
    assert before.keys() == after.keys()
    for name, weights in before.items():
        assert torch.allclose(after[name], weights * (0.8 if "lora_B" in name else 1.0))
    assert math.isclose(learned.missing(), 0.2, abs_tol=1e-4)


def test_half_is_the_least(learned):
    assert weakened(learned.model, learned.folder, 9.0, learned.missing, learned.to).strength == 0.5


@pytest.mark.parametrize("found", [0.5, math.nan])
def test_what_does_harm_at_once_is_left_as_it_was_learned(learned, found):
    losses = iter([0.1, found])
    kept = weakened(learned.model, learned.folder, 0.02, lambda: next(losses), learned.to)
    assert (kept.folder, kept.strength, kept.loss) == (learned.folder, 1.0, 0.1)
    assert not learned.to.exists()
    assert math.isclose(learned.missing(), 0, abs_tol=1e-6)


def test_training_keeps_less_where_it_may(tmp_path, base_folder):
    def trained(name, slack):
        watch = Notes()
        job = job_for(base_folder, tmp_path / name, config=TrainConfig(slack=slack))
        return train(job, find_device(), watch, lambda: False), watch

    whole, _ = trained("whole", 0.0)
    less, watch = trained("less", 9.0)
    assert (whole.strength, less.strength) == (1.0, 0.5)
    assert whole.validation_loss == best_of(whole.history)[1] == best_of(less.history)[1] < less.validation_loss
    assert whole.history == less.history or [e.keys() for e in whole.history] == [e.keys() for e in less.history]
    assert "50% of the adapter's change is kept" in watch.lines[-1]


def test_the_textbook_example_keeps_all():
    config = TrainConfig()
    assert recipe_for(10**8, config, preset="guide").slack == 0
    assert recipe_for(10**8, config).slack > 0
    assert recipe_for(10**8, TrainConfig(slack=0.1), preset="guide").slack == 0.1
