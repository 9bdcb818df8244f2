"""Training runs on tiny random models: the real datasets, transformers, peft and trl, on the CPU."""

import errno
import json
import math
import resource
import signal
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from students import chat, publish_rows, write_base

from factory.ask import section_finder
from generators.errors import StoppedError, UsageError
from trainers.checkpoints import last_complete, mark_complete
from trainers.guard import best_of, ran_out_of_patience
from trainers.lora import TrainConfig, recipe_for
from trainers.loss_plot import loss_plot
from trainers.machine import check_device, check_disk, check_room
from trainers.order import LengthOrder

pytest.importorskip("trl")
from safetensors import SafetensorError

from trainers.base import default_base, find_base, load_model, open_tokenizer
from trainers.guard import Guard
from trainers.job import Fit, Job, fit
from trainers.lora import add_adapter
from trainers.lora_trainer import answers_loss
from trainers.machine import Device, find_device
from trainers.sft_data import encode_all, read_examples, stop_tokens
from trainers.student import open_base, open_student
from trainers.student_folder import WEIGHTS
from trainers.train import Trained, overfitting, train


@pytest.fixture(scope="module")
def base_folder(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("bases") / "tiny")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FACTORY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Notes:
    """A watch that remembers."""

    def __init__(self):
        self.lines, self.steps = [], []

    def note(self, line):
        self.lines.append(line)

    def trained(self, step, steps, loss, tokens_per_second):
        self.steps.append((step, loss))


def rows_of(numbers, base, tokenizer):
    examples = read_examples({"messages": chat(number)} for number in numbers)
    return tuple(encode_all(examples, tokenizer, stop_tokens(tokenizer, base.stops), 2048)[0])


def job_for(folder, run, config=None, **choices):
    base = find_base(str(folder))
    tokenizer = open_tokenizer(base)
    recipe = recipe_for(base.parameters, config or TrainConfig(), **{"epochs": 2, **choices})
    train_rows, validation = rows_of(range(40), base, tokenizer), rows_of(range(40, 46), base, tokenizer)
    run.mkdir(parents=True, exist_ok=True)
    return Job(base, tokenizer, train_rows, validation, recipe, run)


def trained_bytes(folder, run, watch=None, **choices):
    done = train(job_for(folder, run, **choices), find_device(), watch or Notes(), lambda: False)
    return (done.adapter / WEIGHTS).read_bytes(), done


# The order of rows


@given(st.lists(st.integers(1, 500), min_size=1, max_size=300), st.integers(1, 16), st.integers(0, 5))
def test_an_epoch_reads_every_row_once_in_the_same_order_each_time(lengths, batch, seed):
    order = LengthOrder(lengths, batch, seed)
    assert sorted(order.rows(0)) == list(range(len(lengths)))
    assert order.rows(1) == LengthOrder(lengths, batch, seed).rows(1)
    assert order.tokens(0, 3 * order.steps) == 3 * sum(lengths)
    assert order.tokens(0, 1) + order.tokens(1, 2 * order.steps) == 2 * sum(lengths)


@given(st.integers(1, 60), st.integers(0, 60), st.integers(1, 40), st.integers(1, 16))
def test_rows_that_take_turns_come_equally_often(always, waiting, at_once, batch):
    lengths = list(range(1, always + waiting + 1))
    turns = range(always, always + waiting)
    order = LengthOrder(lengths, batch, 0, turns, at_once)
    epochs = [order.rows(epoch) for epoch in range(6)]
    assert {len(rows) for rows in epochs} == {len(order)} == {always + min(at_once, waiting)}
    assert all(len(set(rows)) == len(rows) and set(range(always)) <= set(rows) for rows in epochs)
    times = [sum(row in rows for rows in epochs) for row in turns]
    assert max(times, default=0) - min(times, default=0) <= 1
    assert order.tokens(0, 6 * order.steps) == sum(lengths[row] for rows in epochs for row in rows)


def test_neighbours_are_of_one_length_and_epochs_differ():
    lengths = [50 + 37 * number % 400 for number in range(160)]
    order = LengthOrder(lengths, 16, 0)

    def padded(rows):
        batches = [rows[start : start + 4] for start in range(0, len(rows), 4)]
        return sum(len(batch) * max(lengths[row] for row in batch) for batch in batches) / sum(lengths)

    assert padded(order.rows(0)) < 1.1 < padded(list(range(160)))
    assert order.rows(0) != order.rows(1)


# Settings


def test_presets_follow_the_size_of_the_base_and_the_file_wins():
    small, large = recipe_for(135_000_000, TrainConfig()), recipe_for(7_600_000_000, TrainConfig())
    assert (small.rank, small.alpha, small.rate, small.layers) == (64, 128, 1e-3, "all-linear")
    assert (large.rank, large.alpha, large.rate, large.batch, large.epochs) == (32, 64, 2e-4, 16, 3)
    guide = recipe_for(135_000_000, TrainConfig(), preset="guide")
    assert (guide.rank, guide.alpha, guide.dropout, guide.layers) == (16, 32, 0.05, "q_proj, v_proj")
    assert recipe_for(1, TrainConfig(rank=8, dropout=0.1, rate=1e-5), epochs=9).epochs == 9
    with pytest.raises(UsageError, match="quantize"):
        recipe_for(1, TrainConfig(), quantize="2bit")


def test_the_default_student_fits_the_machine():
    assert default_base(Device("cpu", "", 64 * 10**9, bf16=True), "none") == "smollm2-135m"
    assert default_base(Device("cuda", "", 80 * 10**9, bf16=True), "none") == "Qwen/Qwen2.5-7B-Instruct"
    assert default_base(Device("cuda", "", 16 * 10**9, bf16=True), "none") == "smollm2-135m"
    assert default_base(Device("cuda", "", 16 * 10**9, bf16=True), "4bit") == "Qwen/Qwen2.5-7B-Instruct"


def test_what_cannot_fit_is_refused_before_it_starts(tmp_path):
    cpu = Device("cpu", "2 CPU threads", 10**9, bf16=True)
    with pytest.raises(UsageError, match=r"2\.0 GB of memory"):
        check_room(2 * 10**9, cpu)
    with pytest.raises(UsageError, match="free some space"):
        check_disk(tmp_path / "not" / "yet", 10**18)
    with pytest.raises(UsageError, match="needs a CUDA GPU"):
        check_device(7_600_000_000, "none", cpu)
    with pytest.raises(UsageError, match="Apple"):
        check_device(1, "4bit", Device("mps", "", 1, bf16=False))


# Bases


def test_a_base_that_has_no_room_is_not_opened_to_rehearse(base_folder):
    with pytest.raises(UsageError, match="needs about"):
        open_base(find_base(str(base_folder)), "none", Device("cpu", "here", 1000, bf16=False))


def test_bases_that_are_none_are_refused_in_one_line(tmp_path, base_folder):
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "config.json").write_text("{}")
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"")
    for spec, says in [
        ("no-such-student", "no student is called"),
        (str(tmp_path / "pickled"), "no safetensors"),
        (str(tmp_path / "nowhere"), "no student is called"),
    ]:
        with pytest.raises(UsageError, match=says):
            find_base(spec)
    found = find_base(str(base_folder))
    assert (found.sha256, found.parameters > 50_000) == (find_base(str(base_folder)).sha256, True)


def test_a_base_with_code_of_its_own_is_not_run(tmp_path, base_folder):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for path in Path(base_folder).iterdir():
        (foreign / path.name).write_bytes(path.read_bytes())
    config = json.loads((foreign / "config.json").read_text())
    config |= {"model_type": "made-up", "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}}
    (foreign / "config.json").write_text(json.dumps(config))
    (foreign / "evil.py").write_text("raise SystemExit('run')")
    with pytest.raises(UsageError, match="cannot be opened"):
        load_model(find_base(str(foreign)), "none", find_device())


# Runs


def test_the_same_seed_gives_the_same_adapter_and_learns(tmp_path, base_folder):
    one, first = trained_bytes(base_folder, tmp_path / "one", seed=1)
    two, second = trained_bytes(base_folder, tmp_path / "two", seed=1)
    other, _ = trained_bytes(base_folder, tmp_path / "other", seed=2)
    assert one == two != other
    losses = [entry["loss"] for entry in first.history if "loss" in entry]
    assert losses[-1] < losses[0]
    assert first.validation_loss == second.validation_loss
    assert best_of(first.history) == best_of(second.history)
    assert first.validation_loss <= best_of(first.history)[1] + 0.02
    assert first.tokens == 2 * sum(len(row.ids) for row in job_for(base_folder, tmp_path / "x").train)


def test_our_loss_is_the_mean_over_the_trained_tokens_of_the_step(tmp_path, base_folder):
    """Against transformers' own loss over the whole step at once, with float32 on both sides."""
    import torch

    job = job_for(base_folder, tmp_path / "run", config=TrainConfig(batch=8), epochs=1)
    device = Device("cpu", "", 10**10, bf16=False)
    watch = Notes()
    train(job, device, watch, lambda: False)
    model = add_adapter(load_model(job.base, "none", device), job.recipe, job.base.spec)
    rows = [job.train[number] for number in job.order.rows(0)[:8]]
    width = max(len(row.ids) for row in rows)
    ids = torch.tensor([[*row.ids, *[0] * (width - len(row.ids))] for row in rows])
    labels = torch.tensor([row.labels + [-100] * (width - len(row.ids)) for row in rows])
    mask = torch.tensor([[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in rows])
    with torch.no_grad():
        expected = model(input_ids=ids, attention_mask=mask, labels=labels).loss.item()
    assert math.isclose(watch.steps[0][1], expected, rel_tol=1e-4)


def batch_of(rows):
    import torch

    width = max(len(row.ids) for row in rows)
    ids = torch.tensor([[*row.ids, *[0] * (width - len(row.ids))] for row in rows])
    labels = torch.tensor([row.labels + [-100] * (width - len(row.ids)) for row in rows])
    mask = torch.tensor([[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in rows])
    return {"input_ids": ids, "labels": labels, "attention_mask": mask}


def test_a_rehearsed_row_costs_what_the_student_strays_from_its_base(tmp_path, base_folder):
    """By hand: the divergence of the whole distributions, token by token, beside the other rows' cross-entropy."""
    import torch
    from torch.nn.functional import log_softmax

    job = job_for(base_folder, tmp_path / "run")
    device = Device("cpu", "", 10**10, bf16=False)
    base = load_model(job.base, "none", device)
    model = add_adapter(load_model(job.base, "none", device), job.recipe, job.base.spec)
    batch = batch_of(job.train[:4])
    marked = torch.tensor([True, False, True, False])
    hard, count = answers_loss(model, **batch, rehearsed=~marked & marked)
    before, _ = answers_loss(model, **batch, rehearsed=marked)
    only_hard, _ = answers_loss(model, **{k: v[~marked] for k, v in batch.items()}, rehearsed=marked[~marked] & False)
    assert math.isclose(before.item(), only_hard.item(), rel_tol=1e-5)  # an adapter that is new strays nowhere
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.05, generator=torch.Generator().manual_seed(3))
    after, still = answers_loss(model, **batch, rehearsed=marked)
    with torch.no_grad():
        theirs, ours = (
            log_softmax(each(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits, -1)[:, :-1]
            for each in (base, model)
        )
    wanted = batch["labels"][:, 1:]
    kept = (wanted != -100) & marked[:, None]
    drift = (theirs.exp() * (theirs - ours)).sum(-1)[kept].sum()
    said = -ours.gather(-1, wanted.clamp(min=0)[..., None])[..., 0][(wanted != -100) & ~marked[:, None]].sum()
    assert drift > 0.1
    assert math.isclose(after.item(), (drift + said).item(), rel_tol=1e-4)
    assert still == count == int((wanted != -100).sum())
    assert hard > only_hard


def test_a_rehearsed_row_keeps_the_base_nearer_than_its_words_do(tmp_path, base_folder):
    def strays(name, *, rehearsed):
        job = job_for(base_folder, tmp_path / name, epochs=3)
        own = tuple(replace(row, rehearsed=rehearsed) for row in job.train[:12])
        done = train(replace(job, train=(*own, *job.train[12:])), find_device(), Notes(), lambda: False)
        model = add_adapter(load_model(job.base, "none", find_device()), job.recipe, job.base.spec, done.adapter)
        return answers_loss(model, **batch_of(own), rehearsed=torch.ones(12, dtype=bool))[0].item()

    import torch

    assert strays("kept", rehearsed=True) < 0.85 * strays("words", rehearsed=False)


@pytest.mark.parametrize("quantize", ["4bit", "8bit"])
def test_a_quantised_base_is_trained_and_opened_again(tmp_path, base_folder, quantize):
    _, done = trained_bytes(base_folder, tmp_path / "run", quantize=quantize, epochs=1)
    losses = [entry["loss"] for entry in done.history if "loss" in entry]
    assert all(map(math.isfinite, losses))
    model = load_model(find_base(str(base_folder)), quantize, find_device())
    assert type(model.model.layers[0].mlp.up_proj).__name__ == {"4bit": "Linear4bit", "8bit": "Linear8bitLt"}[quantize]


def test_numbers_that_fail_stop_the_run_with_the_last_good_adapter(tmp_path, base_folder):
    from safetensors.torch import load_file

    watch = Notes()
    job = job_for(base_folder, tmp_path / "run", config=TrainConfig(rate=1e30, warmup=0.0))
    done = train(job, find_device(), watch, lambda: False)
    assert (done.ended, done.steps) == ("diverged", 1)
    assert any("step 2 is not a number" in line for line in watch.lines)
    assert all(bool(each.isfinite().all()) for each in load_file(done.adapter / WEIGHTS).values())


def test_out_of_memory_halves_the_rows_at_once_and_keeps_the_step(tmp_path, base_folder):
    class Narrow(Notes):
        failed = False

        def trained(self, *told):
            if not self.failed:
                self.failed = True
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
            super().trained(*told)

    watch = Narrow()
    _, done = trained_bytes(base_folder, tmp_path / "run", watch)
    assert "out of memory: going on with 8 rows at once; a step stays 16 rows" in watch.lines
    assert (done.micro_batch, done.steps) == (8, 6)


def test_the_last_thing_tried_is_to_recompute_layers(tmp_path, base_folder):
    class NoRoom(Notes):
        def trained(self, *told):
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes")

    watch = NoRoom()
    with pytest.raises(UsageError, match="out of memory with one row at once"):
        train(job_for(base_folder, tmp_path / "run"), find_device(), watch, lambda: False)
    tried = [line.split(";")[0].removeprefix("out of memory: going on with ") for line in watch.lines if ";" in line]
    assert tried[-4:] == ["4 rows at once", "2 rows at once", "1 row at once", "1 row at once, layers recomputed"]


def test_recomputed_layers_give_the_same_numbers(tmp_path, base_folder, monkeypatch):
    device = Device("cpu", "", 10**10, bf16=False)
    losses = []
    for name, how in (("kept", Fit(8)), ("recomputed", Fit(8, recomputed=True))):
        monkeypatch.setattr("trainers.train.fit", lambda job, device, how=how: how)
        watch = Notes()
        train(job_for(base_folder, tmp_path / name, epochs=1), device, watch, lambda: False)
        losses.append([loss for _, loss in watch.steps])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_rows_at_once_follow_the_memory(tmp_path, base_folder, monkeypatch):
    job = job_for(base_folder, tmp_path / "run")

    def found(**memory_of):
        free = int(job.memory(Fit(**memory_of), Device("cuda", "", 0, bf16=True)) / 0.9) + 1
        return fit(job, Device("cuda", "", free, bf16=True))

    assert found(rows=16) == Fit(16)
    assert found(rows=4) == Fit(4)
    assert found(rows=1) == Fit(1)
    assert found(rows=1, recomputed=True).recomputed
    monkeypatch.setattr("trainers.job._CPU_TOKENS", 5 * max(len(row.ids) for row in job.train))
    assert fit(job, Device("cpu", "", 10**12, bf16=True)) == Fit(4)
    assert fit(replace(job, micro_batch=5), Device("cuda", "", 10**12, bf16=True)) == Fit(4)


@pytest.mark.parametrize(
    "fault",
    [
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
        RuntimeError("[enforce fail at inline_container.cc:672] . PytorchStreamWriter: No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
    ],
)
def test_a_full_disk_is_named_whoever_finds_it(tmp_path, base_folder, fault):
    class Full(Notes):
        def trained(self, *told):
            raise fault

    with pytest.raises(StoppedError, match="the disk is full"):
        train(job_for(base_folder, tmp_path / "run"), find_device(), Full(), lambda: False)


def test_a_checkpoint_that_cannot_be_written_is_exit_6_and_the_next_run_goes_on(
    tmp_path, workspace, base_folder, run_factory, start_factory, cache
):
    """The limit on a file's size is a real failure of a real write, in the middle of a checkpoint."""

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    env = {"FACTORY_CACHE": str(cache)}
    arguments = ("train", "--student", base_folder, "--epochs", 2, "--json")
    process = start_factory(*arguments, env=env, preexec_fn=limited)
    _, err = process.communicate(timeout=300)
    last = err.decode().splitlines()[-1]
    assert (process.returncode, "the disk is full" in last, "Traceback" in err.decode()) == (6, True, False), err
    ran = run_factory(*arguments, env=env)
    assert ran.code == 0, ran.err


def test_the_best_checkpoint_is_found_where_the_workspace_is_now(tmp_path):
    (tmp_path / "checkpoint-4").mkdir()
    state = SimpleNamespace(
        global_step=8, best_global_step=4, best_model_checkpoint="elsewhere/checkpoint-4", log_history=[],
        is_world_process_zero=True,
    )  # fmt: skip
    guard = Guard(tmp_path, LengthOrder([1], 1, 0), Notes(), lambda: False, patience=2, checkpoint_seconds=1)
    guard.on_train_begin(SimpleNamespace(output_dir=str(tmp_path)), state, None)
    assert state.best_model_checkpoint == str(tmp_path / "checkpoint-4")


def test_half_a_checkpoint_is_passed_over(tmp_path):
    for step in (3, 6, 9):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "adapter_model.safetensors").write_bytes(b"x" * step)
        if step != 9:
            mark_complete(folder)
    (tmp_path / "checkpoint-6" / "adapter_model.safetensors").write_bytes(b"torn")
    assert last_complete(tmp_path) == tmp_path / "checkpoint-3"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]
    assert last_complete(tmp_path / "none") is None


def test_training_ends_when_validation_turns_and_says_so():
    history = [{"step": step, "eval_loss": loss} for step, loss in enumerate((3.0, 2.0, 2.5, 2.4), 1)]
    assert not ran_out_of_patience(history[:3], 2)
    assert ran_out_of_patience(history, 2)
    assert best_of(history) == (2, 2.0)
    done = Trained(Path(), "early", 2, 4, 1.0, 2.0, 1, 1.0, 1.0, 1, tuple(history))
    assert overfitting(done).startswith("overfitting: validation turned after step 2 (2.0000, then 2.4000)")


def test_the_plot_is_a_picture_that_stands_alone():
    history = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}, {"step": 2, "eval_loss": 1.5}]
    root = ElementTree.fromstring(loss_plot(history, 2))
    names = [each.tag.rpartition("}")[2] for each in root.iter()]
    assert {"polyline", "circle"} <= set(names)
    assert not {"script", "image"} & set(names)
    ElementTree.fromstring(loss_plot([], 0))


# The command


@pytest.fixture
def workspace(tmp_path):
    return publish_rows(tmp_path / "factory-data")


def settle(tmp_path, text):
    (tmp_path / "factory.toml").write_text(text)


def test_a_student_is_trained_published_found_again_and_asked(tmp_path, workspace, base_folder, run_factory, cache):
    env = {"FACTORY_CACHE": str(cache)}
    ran = run_factory("train", "--student", base_folder, "--epochs", 1, "--json", env=env)
    assert ran.code == 0, ran.err
    assert set(ran.json) == {
        "adapter", "base", "method", "train_tokens", "trained_tokens_per_second", "train_loss", "validation_loss",
        "seconds",
    }  # fmt: skip
    student = workspace / "students" / "s0001"
    assert tmp_path / ran.json["adapter"] == student
    assert (workspace / "students" / "latest").readlink() == Path("s0001")
    assert sorted(path.name for path in student.iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "loss.svg", "manifest.json", "metrics.jsonl",
    ]  # fmt: skip
    manifest = json.loads((student / "manifest.json").read_text())
    assert manifest["dataset"]["version"] == "v0001"
    assert manifest["terms"] in ran.err
    assert "about" in ran.err
    (workspace / "students" / "s0009").mkdir()  # of which nothing is left: no reason to refuse
    (workspace / "students" / ".run-old").mkdir()
    again = run_factory("train", "--student", base_folder, "--epochs", 1, "--json", env=env)
    assert (again.code, again.json["adapter"]) == (0, ran.json["adapter"])
    assert "nothing to do" in again.err
    asked = run_factory("ask", "What is the limit of `key_1`?", "--json", env=env)
    assert (asked.code, set(asked.json)) == (0, {"question", "answer", "student"})
    assert run_factory("ask", env=env).code == 2


def test_another_base_and_a_changed_adapter_are_refused(tmp_path, workspace, base_folder, run_factory, cache):
    ran = run_factory("train", "--student", base_folder, "--epochs", 1, "--json", env={"FACTORY_CACHE": str(cache)})
    student = tmp_path / ran.json["adapter"]
    other = write_base(tmp_path / "other", seed=7)
    with pytest.raises(UsageError, match="not on"):
        open_student(str(other), student)
    assert open_student(str(base_folder), student).spec == "student/s0001"
    assert open_student(str(base_folder)).spec.startswith("base/")
    data = bytearray((student / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (student / WEIGHTS).write_bytes(data)
    with pytest.raises(UsageError, match="not what was trained"):
        open_student(student)


def test_a_student_knows_what_it_was_trained_on(tmp_path, base_folder, run_factory, cache):
    """Through the whole way: trained until it knows, opened anew, asked in a batch and one by one."""
    import asyncio

    from generators.teachers import Message, Request

    publish_rows(tmp_path / "factory-data", range(4), range(4))
    settle(tmp_path, "[train]\nbatch = 4\nrate = 0.005\npatience = 99\n")
    env = {"FACTORY_CACHE": str(cache)}
    ran = run_factory("train", "--student", base_folder, "--epochs", 60, "--json", env=env)
    assert ran.code == 0, ran.err
    student = open_student(tmp_path / ran.json["adapter"])
    chats = [[Message(turn["role"], turn["content"]) for turn in chat(number)] for number in (0, 3, 1, 2)]
    conversations, expected = [turns[:-1] for turns in chats], [turns[-1].content for turns in chats]
    answers = student.answer_all(conversations, 200)
    assert [student.answer_all([each], 200)[0] for each in conversations] == answers
    # So small a base may copy one name wrong; the first it must have, which the rest of the test asks for.
    assert sum(map(str.__eq__, answers, expected)) >= 3
    assert answers[0] == expected[0]
    raw = asyncio.run(student.send(Request(tuple(conversations[0]), max_tokens=200)))
    reply = student.read(raw.body)
    assert (reply.text, reply.finish, reply.model) == (expected[0], "stop", "student/s0001")
    cut = student.read(asyncio.run(student.send(Request(tuple(conversations[0]), max_tokens=3))).body)
    assert (cut.finish, cut.output_tokens) == ("length", 3)


def test_a_reader_is_trained_with_the_sections_of_the_version(workspace, base_folder, run_factory, cache):
    env = {"FACTORY_CACHE": str(cache)}
    shown = run_factory("train", "--student", base_folder, "--context", "chunk", "--show-row", 2, env=env)
    assert "# Limits\n\nThe limit of `key_1` is 7." in shown.out
    assert "⟦The limit of `key_1` is 7." in shown.out
    assert "\x1b" not in shown.out
    ran = run_factory("train", "--student", base_folder, "--context", "chunk", "--epochs", 1, "--json", env=env)
    find = section_finder(workspace, workspace / "students" / "s0001")
    assert find("What is the limit of `key_7`?").startswith("# Limits\n\nThe limit of `key_7` is 49.")
    asked = run_factory("ask", "What is the limit of `key_1`?", env=env)
    assert (asked.code, asked.err) == (0, "")
    (workspace / "versions" / "v0001" / "chunks.jsonl").write_text("")
    ran = run_factory("train", "--student", base_folder, "--context", "chunk", "--again", env=env)
    assert "are gone" in run_factory("ask", "What?", env=env).err
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "40 of them are not in" in ran.err


def wait_for_step(run_folder, step, process, seconds=300):
    for _ in range(seconds * 50):
        for metrics in run_folder.glob("students/.run-*/metrics.jsonl"):
            if metrics.read_text().count('"loss"') >= step:
                return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("no step was seen")


_CODES = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 6, signal.SIGINT: 130}


@pytest.mark.parametrize("number", _CODES)
def test_a_run_that_is_ended_goes_on_to_the_same_bits(tmp_path, base_folder, run_factory, start_factory, cache, number):
    env = {"FACTORY_CACHE": str(cache)}
    settle(tmp_path, "[train]\ncheckpoint_seconds = 0\ndropout = 0.1\n")
    for out in ("whole", "cut"):
        publish_rows(tmp_path / out)
    arguments = ("train", "--student", base_folder, "--epochs", 6, "--json")
    whole = run_factory(*arguments, "--out", "whole", env=env)
    assert whole.code == 0, whole.err
    process = start_factory(*arguments, "--out", "cut", env=env)
    wait_for_step(tmp_path / "cut", 5, process)
    process.send_signal(number)
    _, err = process.communicate(timeout=300)
    assert process.returncode == _CODES[number]
    assert number == signal.SIGKILL or "run again to go on" in err.decode().splitlines()[-1]
    assert not (tmp_path / "cut" / "students" / "latest").exists()
    rest = run_factory(*arguments, "--out", "cut", env=env)
    assert rest.code == 0, rest.err
    assert "going on after step" in rest.err
    weights = [tmp_path / ran.json["adapter"] / WEIGHTS for ran in (whole, rest)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert whole.json["validation_loss"] == rest.json["validation_loss"]


def test_a_run_whose_numbers_fail_leaves_latest_alone(tmp_path, workspace, base_folder, run_factory, cache):
    settle(tmp_path, "[train]\nrate = 1e30\nwarmup = 0.0\n")
    ran = run_factory("train", "--student", base_folder, "--json", env={"FACTORY_CACHE": str(cache)})
    assert (ran.code, set(ran.json) >= {"adapter"}) == (3, True)
    assert not (workspace / "students" / "latest").exists()
    assert (tmp_path / ran.json["adapter"] / WEIGHTS).is_file()


def test_bad_input_is_one_line_and_exit_2(tmp_path, workspace, base_folder, run_factory, cache):
    env = {"FACTORY_CACHE": str(cache)}
    publish_rows(tmp_path / "thin", range(4), ())
    plain = write_base(tmp_path / "plain", template=None)
    for arguments, says in [
        (("train", "--out", "nowhere"), "no dataset"),
        (("train", "--out", "thin", "--student", base_folder), "validation split"),
        (("train", "--student", "smollm3"), "no student is called"),
        (("train", "--student", plain), "chat template"),
        (("train", "--quantize", "2bit"), "2bit"),
        (("train", "--student", base_folder, "--show-row", "99"), "1 to 40"),
        (("train", "--student", base_folder, "--report-to", "nobody"), "nobody"),
        (("ask", "What?"), "no student yet"),
    ]:
        ran = run_factory(*arguments, env=env)
        last = ran.err.splitlines()[-1]
        assert (ran.code, last.startswith("factory: "), says in last) == (2, True, True), (arguments, ran.err)


@pytest.mark.parametrize(
    ("text", "says"),
    [("quantize = '2bit'", "none of"), ("[train]\nranks = 2", "no setting"), ("[train]\nrate = 'fast'", "like 0.0"),
     ("[train]\nbatch = 0", "1 or more"), ("train = 3", "table"),
     ("[train]\nreplay_share = 0.1\nreplay_file = 'no.jsonl'", "cannot read no.jsonl")],
)  # fmt: skip
def test_settings_of_training_are_checked(tmp_path, workspace, base_folder, run_factory, cache, text, says):
    settle(tmp_path, text)
    ran = run_factory("train", "--student", base_folder, "--show-row", 1, env={"FACTORY_CACHE": str(cache)})
    assert ran.code == 2
    assert says in ran.err


def test_rows_against_forgetting_are_mixed_in(tmp_path, workspace, base_folder, run_factory, cache):
    rows = [
        {"messages": [{"role": "user", "content": f"{n} + 1?"}, {"role": "assistant", "content": f"{n + 1}"}]}
        for n in range(9)
    ]
    (tmp_path / "general.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settle(tmp_path, "[train]\nreplay_share = 0.1\nreplay_file = 'general.jsonl'\n")
    ran = run_factory("train", "--student", base_folder, "--show-row", 44, env={"FACTORY_CACHE": str(cache)})
    assert (ran.code, "+ 1?" in ran.out) == (0, True)


@pytest.mark.slow
def test_several_processes_train_one_student(tmp_path, workspace, base_folder, cache):
    import subprocess
    import sys

    from conftest import clean_environment

    env = clean_environment(tmp_path, FACTORY_CACHE=str(cache), OMP_NUM_THREADS="1")
    options = "--cpu --num_processes 2 --num_machines 1 --mixed_precision no --dynamo_backend no --module"
    launch = [sys.executable, "-m", "accelerate.commands.launch", *options.split()]
    command = [*launch, "factory", "train", "--student", str(base_folder), "--epochs", "1", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()
    [line] = done.stdout.decode().splitlines()
    assert (tmp_path / json.loads(line)["adapter"] / WEIGHTS).is_file()


# Going on from a student


def test_a_student_goes_on_with_what_is_new(tmp_path, workspace, base_folder, run_factory, cache):
    env = {"FACTORY_CACHE": str(cache)}
    settle(tmp_path, "[train]\nreplay_share = 0\n")
    first = run_factory("train", "--student", base_folder, "--epochs", 1, "--json", env=env)
    assert first.code == 0, first.err
    nothing = run_factory("train", "--continue", "--epochs", 1, env=env)
    assert (nothing.code, "nothing to go on with" in nothing.err) == (2, True)
    publish_rows(workspace, train=range(5, 50))
    second = run_factory("train", "--continue", "--epochs", 1, "--json", env=env)
    assert second.code == 0, second.err
    assert "goes on from s0001 (v0001): 10 new rows, 10 of 35 old ones" in second.err
    manifest = json.loads((workspace / "students" / "latest" / "manifest.json").read_text())
    assert (manifest["student"], manifest["went_on_from"]) == ("s0002", "s0001")
    assert manifest["dataset"]["rows"]["train"] == 20
    before = json.loads((workspace / "students" / "s0001" / "manifest.json").read_text())
    assert manifest["settings"]["onward"] == before["adapter_sha256"]
    other = write_base(tmp_path / "another", seed=7)
    publish_rows(workspace, train=range(60))
    refused = run_factory("train", "--continue", "--student", other, "--epochs", 1, env=env)
    assert (refused.code, "not on" in refused.err) == (2, True)
