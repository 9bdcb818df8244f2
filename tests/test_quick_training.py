"""What makes training quick on a CPU computes what the slow way computes: losses, gradients, attention."""

import pytest

pytest.importorskip("trl")

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from students import write_base
from test_training import Notes, job_for
from torch.nn import functional
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from trainers.head_loss import answers, drift
from trainers.job import Job
from trainers.lora import TrainConfig, recipe_for
from trainers.lora_linear import use_one_function
from trainers.machine import Device
from trainers.sft_data import IGNORED, Encoded
from trainers.short_attention import LONGEST, use_short_attention
from trainers.train import train

WIDTH, VOCABULARY = 32, 500


def small(seed=0, **settings):
    torch.manual_seed(seed)
    shape = {"hidden_size": WIDTH, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    return LlamaForCausalLM(LlamaConfig(vocab_size=VOCABULARY, num_key_value_heads=2, **{**shape, **settings}))


def adapted(model, **settings):
    torch.manual_seed(1)
    made = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", **settings))
    for name, weight in made.named_parameters():
        if "lora_B" in name:  # new ones are nothing, and give the other half no gradient
            torch.nn.init.normal_(weight)
    return made


def batch(length=20, padded=5):
    torch.manual_seed(2)
    ids = torch.randint(0, VOCABULARY, (3, length))
    mask = torch.ones_like(ids)
    mask[0, length - padded :] = 0
    return {"input_ids": ids, "attention_mask": mask}


def gradients(model, inputs):
    model.zero_grad()
    logits = model(**inputs).logits[inputs["attention_mask"] == 1]
    loss = logits.float().logsumexp(-1).sum() + logits[:, 3].sum()
    loss.backward()
    return loss.detach(), {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}


def the_same(found, expected, tolerance=1e-4):
    assert found[0] == pytest.approx(float(expected[0]), rel=1e-5)
    assert found[1].keys() == expected[1].keys()
    for name, grad in expected[1].items():
        torch.testing.assert_close(found[1][name], grad, rtol=tolerance, atol=tolerance)


def head_of(weights, *, bias=False):
    head = torch.nn.Linear(*reversed(weights.shape), bias=bias)
    head.weight.data = weights
    return head.requires_grad_(requires_grad=False)


@pytest.mark.parametrize("bias", [False, True], ids=["plain", "with a bias"])
@pytest.mark.parametrize("tokens", [0, 1, 700], ids=str)
def test_the_loss_of_answers_is_cross_entropy(monkeypatch, tokens, bias):
    monkeypatch.setattr("trainers.head_loss._AT_ONCE", {"cpu": 64 * VOCABULARY})
    torch.manual_seed(0)
    head = head_of(torch.randn(VOCABULARY, WIDTH), bias=bias)
    hidden, wanted = torch.randn(tokens, WIDTH, requires_grad=True), torch.randint(0, VOCABULARY, (tokens,))
    (2 * answers(hidden, head, wanted)).backward()
    other = hidden.detach().clone().requires_grad_()
    expected = functional.cross_entropy(head(other), wanted, reduction="sum")
    (2 * expected).backward()
    torch.testing.assert_close(answers(hidden, head, wanted), expected)
    torch.testing.assert_close(hidden.grad, other.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("bias", [False, True], ids=["plain", "with a bias"])
def test_the_loss_of_rehearsed_rows_is_divergence(monkeypatch, bias):
    monkeypatch.setattr("trainers.head_loss._AT_ONCE", {"cpu": 7 * VOCABULARY})
    torch.manual_seed(0)
    head = head_of(torch.randn(VOCABULARY, WIDTH), bias=bias)
    hidden, base = torch.randn(40, WIDTH, requires_grad=True), torch.randn(40, WIDTH)
    found = drift(hidden, head, base)
    found.backward()
    other = hidden.detach().clone().requires_grad_()
    likely = functional.log_softmax(head(base), -1)
    expected = functional.kl_div(functional.log_softmax(head(other), -1), likely, reduction="sum", log_target=True)
    expected.backward()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(hidden.grad, other.grad, rtol=1e-3, atol=1e-4)
    assert float(drift(base, head, base)) == pytest.approx(0, abs=1e-3)


def test_a_head_that_is_trained_gets_its_gradient():
    head = torch.nn.Linear(WIDTH, VOCABULARY, bias=False)
    answers(torch.randn(4, WIDTH), head, torch.arange(4)).backward()
    assert head.weight.grad.abs().sum() > 0


def test_an_adapted_layer_is_the_same_as_one_function():
    expected = gradients(adapted(small(attention_bias=True)), batch())
    model = adapted(small(attention_bias=True))
    assert use_one_function(model) == 14
    the_same(gradients(model, batch()), expected)


def test_without_its_adapter_the_base_speaks():
    model, plain = adapted(small()), small()
    use_one_function(model)
    with torch.no_grad(), model.disable_adapter():
        torch.testing.assert_close(model(**batch()).logits, plain(**batch()).logits)


@pytest.mark.parametrize("settings", [{"lora_dropout": 0.1}, {"use_dora": True}, {"lora_bias": True}], ids=str)
def test_what_is_more_than_one_plain_adapter_is_left_to_peft(settings):
    assert use_one_function(adapted(small(), **settings)) == 0


@pytest.mark.parametrize("padded", [0, 5], ids=["whole rows", "padded"])
@pytest.mark.parametrize("length", [1, 20, LONGEST + 8], ids=["one token", "short", "long"])
def test_short_attention_is_attention(length, padded):
    if padded >= length:
        pytest.skip("nothing would be left")
    expected = gradients(small().train(), batch(length, padded))
    model = small().train()
    use_short_attention(model)
    assert model.config._attn_implementation == "short"
    the_same(gradients(model, batch(length, padded)), expected)


def test_short_attention_stays_within_a_window():
    from transformers import MistralConfig, MistralForCausalLM

    def windowed():
        torch.manual_seed(0)
        return MistralForCausalLM(
            MistralConfig(
                vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=48, num_hidden_layers=2,
                num_attention_heads=4, num_key_value_heads=2, sliding_window=6,
            )
        )  # fmt: skip

    expected, model = gradients(windowed(), batch()), windowed()
    use_short_attention(model)
    the_same(gradients(model, batch()), expected)


def test_a_model_with_attention_of_its_own_keeps_it():
    model = small()
    model.set_attn_implementation("eager")
    use_short_attention(model)
    assert model.config._attn_implementation == "eager"


def test_validation_is_the_loss_of_the_plain_model(tmp_path):
    job = job_for(write_base(tmp_path / "tiny"), tmp_path / "run", config=TrainConfig(slack=0.0, rate=1e-2))
    done = train(job, Device("cpu", "", 10**12, bf16=False), Notes(), lambda: False)
    model = AutoModelForCausalLM.from_pretrained(job.base.folder, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, done.adapter)
    losses = []
    for row in job.validation:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([row.ids])).logits[0, :-1]
        losses.append(functional.cross_entropy(logits, torch.tensor(row.labels)[1:], reduction="none"))
    trained = [loss[torch.tensor(row.labels)[1:] != IGNORED] for loss, row in zip(losses, job.validation, strict=True)]
    assert done.validation_loss == pytest.approx(float(torch.cat(trained).mean()), rel=1e-4)


def test_rehearsed_rows_take_turns_by_their_share(tmp_path):
    taught, rehearsed = Encoded((1, 2), (False, True)), Encoded((3, 4), (False, True), rehearsed=True)
    recipe = recipe_for(100_000_000, TrainConfig(replay_share=0.25), epochs=3)
    order = Job(None, None, (taught,) * 20 + (rehearsed,) * 12, (), recipe, tmp_path).order
    epochs = [sorted(order.rows(epoch)) for epoch in range(3)]
    assert [rows[:20] for rows in epochs] == [list(range(20))] * 3
    assert [len(rows) for rows in epochs] == [25] * 3
    assert {row for rows in epochs for row in rows} == set(range(32))
