"""How fast a student is trained, beside trl's ``SFTTrainer`` as it comes, on the same rows in the same run.

    python benchmarks/training.py                            smollm2-135m: about 15 minutes a round on two cores
    python benchmarks/training.py --config tiny --rows 32    half a minute: that the script works
    python benchmarks/training.py --config 7b --quantize none,4bit --systems ours,sft-bf16    a GPU; random weights

Ours and ``SFTTrainer`` (LoRA of the same rank on the same layers, same rate, same rows a step, float32 and bf16) take
turns, ``--rounds`` times. Prints for each: tokens a second (padding not counted), its share of the matrix peak that
this machine reaches in the same run, the mean training loss of the epoch and the loss on rows kept aside, peak memory;
then the ratio of ours to each of theirs. A token costs 4 flops a parameter: forward and back through frozen weights.
"""

import argparse
import gc
import json
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import torch

from trainers.base import Base, find_base, load_model, open_tokenizer, quietly
from trainers.job import Job
from trainers.lora import TrainConfig, recipe_for
from trainers.machine import Device, find_device
from trainers.sft_data import Encoded, encode_all, read_examples, stop_tokens
from trainers.train import train

SHAPES = {  # width, depth, heads, key-value heads, inner width, vocabulary
    "tiny": (256, 4, 4, 2, 768, 4096),
    "7b": (3584, 28, 28, 4, 18944, 152064),
}
SYSTEMS = ("ours", "sft-fp32", "sft-bf16")


@dataclass(frozen=True, slots=True)
class Result:
    """One run: how fast, how well, how large."""

    tokens_per_second: float
    train_loss: float
    validation_loss: float
    peak_gb: float


class Silent:
    """A watch that says nothing."""

    def note(self, line: str) -> None:
        """Hear a line."""

    def trained(self, step: int, steps: int, loss: float, tokens_per_second: float) -> None:
        """Hear of a step."""


def main() -> None:
    """Run the systems in turns and print the table."""
    options = parsed()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        job = job_of(options, folder)
        device = find_device()
        describe(job, device, options)
        found: dict[str, list[Result]] = {}
        for _ in range(options.rounds):
            for system in systems_of(options):
                found.setdefault(system, []).append(run(system, job, device, folder))
                report(system, found[system][-1], job, device)
        compare(found)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="smollm2-135m", help="tiny, 7b, or a student as 'factory train' takes it")
    parser.add_argument("--rows", type=int, default=160)
    parser.add_argument("--tokens", type=int, default=195, help="of a row, on average")
    parser.add_argument("--batch", type=int, default=8, help="rows of a step; 8 is SFTTrainer's own")
    parser.add_argument("--rank", type=int, default=0, help="0 for what suits the size")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--quantize", default="none", help="none, 4bit, 8bit, or several")
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--data", help="JSONL of chat rows, such as a version's train.jsonl, instead of made-up ones")
    parser.add_argument("--folder", help="where there is room for the weights")
    return parser.parse_args()


def systems_of(options: argparse.Namespace) -> list[str]:
    """Ours once for each way to hold the base; theirs as named."""
    names = options.systems.split(",")
    ours = [f"ours-{kind}" for kind in options.quantize.split(",")] if "ours" in names else []
    return [*ours, *(name for name in names if name != "ours")]


def job_of(options: argparse.Namespace, folder: Path) -> Job:
    """The base, the rows and the recipe."""
    if options.config in SHAPES:
        base = find_base(str(write_base(folder / "base", SHAPES[options.config])))
    else:
        base = find_base(options.config)
    tokenizer = open_tokenizer(base)
    rows = rows_of(options, base, tokenizer)
    kept = max(4, len(rows) // 10)
    config = TrainConfig(rank=options.rank, batch=options.batch, warmup=0.0, checkpoint_seconds=1e9)
    recipe = recipe_for(base.parameters, config, epochs=1)
    return Job(base, tokenizer, rows[kept:], rows[:kept], recipe, folder / "run", checkpoint_seconds=1e9)


def rows_of(options: argparse.Namespace, base: Base, tokenizer: Any) -> tuple[Encoded, ...]:
    """Rows of a file, or made of numbered sentences: a question of 60 tokens, the rest of a row is its answer."""
    wanted = options.rows + max(4, options.rows // 10)
    if options.data:
        lines = Path(options.data).read_text("utf-8").splitlines()
        found = encode_all(
            read_examples(json.loads(line) for line in lines), tokenizer, stop_tokens(tokenizer, base.stops), 2048
        )[0]
        return tuple((found * (wanted // max(len(found), 1) + 1))[:wanted])
    chance = Random(0)
    vocabulary = min(int(base.config["vocab_size"]), len(tokenizer)) - 1
    words = [chance.randrange(vocabulary) for _ in range(400)]
    rows = []
    for _ in range(wanted):
        length = max(70, round(chance.lognormvariate(0, 0.45) * options.tokens * 0.9))
        ids = tuple(chance.choice(words) for _ in range(length))
        rows.append(Encoded(ids, (False,) * 60 + (True,) * (length - 60)))
    return tuple(rows)


def write_base(folder: Path, shape: tuple[int, ...]) -> Path:
    """A model of this shape with random weights, and a tokenizer of numbered words."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    width, depth, heads, key_heads, inner, vocabulary = shape
    words = {"<end>": 0, **{f"w{number}": number for number in range(1, min(vocabulary, 4096))}}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(words, "<end>")), eos_token="<end>", pad_token="<end>"
    )
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    config = Qwen2Config(
        hidden_size=width, num_hidden_layers=depth, num_attention_heads=heads, num_key_value_heads=key_heads,
        intermediate_size=inner, vocab_size=vocabulary, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            Qwen2ForCausalLM(config).save_pretrained(folder)
    finally:
        torch.set_default_dtype(before)
    tokenizer.save_pretrained(folder)
    free()
    return folder


def run(system: str, job: Job, device: Device, folder: Path) -> Result:
    """One system, once; nothing of it is left."""
    shutil.rmtree(folder / "run", ignore_errors=True)
    (folder / "run").mkdir()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    if system.startswith("ours-"):
        recipe = replace(job.recipe, quantize=system.removeprefix("ours-"))  # type: ignore[arg-type]
        done = train(replace(job, recipe=recipe), device, Silent(), lambda: False)
        result = Result(done.tokens_per_second, done.train_loss or 0.0, done.validation_loss or 0.0, peak_memory())
    else:
        result = theirs(job, device, folder / "run", bf16=system == "sft-bf16")
    free()
    return result


def theirs(job: Job, device: Device, folder: Path, *, bf16: bool) -> Result:
    """``SFTTrainer`` with what it takes by default; only the recipe is ours."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    recipe = job.recipe
    columns = [
        [{"input_ids": list(row.ids), "labels": row.labels} for row in rows] for rows in (job.train, job.validation)
    ]
    with quietly():
        model = load_model(job.base, "none", replace(device, bf16=bf16))
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(
                output_dir=str(folder),
                bf16=bf16,
                use_cpu=device.kind == "cpu",
                per_device_train_batch_size=recipe.batch,
                num_train_epochs=1,
                learning_rate=recipe.rate,
                lr_scheduler_type="cosine",
                seed=recipe.seed,
                logging_steps=1,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                max_length=None,
                dataset_kwargs={"skip_prepare_dataset": True},
            ),
            train_dataset=Dataset.from_list(columns[0]),
            eval_dataset=Dataset.from_list(columns[1]),
            processing_class=job.tokenizer,
            peft_config=LoraConfig(
                task_type="CAUSAL_LM", r=recipe.rank, lora_alpha=recipe.alpha, target_modules="all-linear"
            ),
        )
        trainer.remove_callback(PrinterCallback)
        clock = clock_of()
        trainer.add_callback(clock)
        trainer.train()
        validation = trainer.evaluate()["eval_loss"]
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    tokens = sum(len(row.ids) for row in job.train)
    return Result(tokens / clock.seconds, statistics.fmean(losses), validation, peak_memory())


def clock_of() -> Any:
    """A callback that times the training steps alone, as ours are timed."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):  # type: ignore[misc]
        """Adds up the seconds between the begin and the end of steps."""

        seconds = 0.0
        began = 0.0

        def on_step_begin(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
            """Start."""
            self.began = time.monotonic()

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
            """Stop."""
            self.seconds += time.monotonic() - self.began

    return Clock()


def describe(job: Job, device: Device, options: argparse.Namespace) -> None:
    """Say what runs where, and how busy the machine is."""
    tokens = sum(len(row.ids) for row in job.train)
    load = f"{os.getloadavg()[0]:.1f}"
    print(
        f"{options.config}: {job.base.parameters / 1e6:,.0f} million parameters, rank {job.recipe.rank}; "
        f"{len(job.train)} rows, {tokens / len(job.train):.0f} tokens each, {options.batch} a step\n"
        f"{device.name} ({device.kind}, {device.dtype}), load {load} before the start, torch {torch.__version__}"
    )
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        peak = matrix_peak(device, dtype)
        would = peak / 4 / job.base.parameters
        print(f"matrix peak in {name}: {peak / 1e12:,.2f} TFLOP/s, which would allow {would:,.0f} tokens/s")
    print(f"\n{'system':12} {'tokens/s':>10} {'of peak':>8} {'train loss':>11} {'validation':>11} {'memory':>9}")


def report(system: str, result: Result, job: Job, device: Device) -> None:
    """Print a line of the table."""
    half = system != "sft-fp32" and (device.bf16 or system == "sft-bf16")
    peak = matrix_peak(device, torch.bfloat16 if half else torch.float32)
    share = result.tokens_per_second * 4 * job.base.parameters / peak
    print(
        f"{system:12} {result.tokens_per_second:10,.1f} {share:8.1%} {result.train_loss:11.4f} "
        f"{result.validation_loss:11.4f} {result.peak_gb:6.1f} GB   load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def compare(found: dict[str, list[Result]]) -> None:
    """Print how many times as fast ours is, by the median of the rounds."""
    speeds = {name: statistics.median(each.tokens_per_second for each in results) for name, results in found.items()}
    for ours in (name for name in speeds if name.startswith("ours-")):
        for other in (name for name in speeds if name.startswith("sft-")):
            print(f"{ours} is {speeds[ours] / speeds[other]:.2f} times as fast as {other}")


def matrix_peak(device: Device, dtype: torch.dtype) -> float:
    """Flops a second of one large product, the best of a few."""
    size = 8192 if device.kind == "cuda" else 2048
    one = torch.randn(size, size, device=device.kind, dtype=dtype)
    with synchronised(device) as wait:
        spent = []
        for _ in range(5):
            began = time.perf_counter()
            one @ one
            wait()
            spent.append(time.perf_counter() - began)
    return float(2 * size**3 / min(spent))


@contextmanager
def synchronised(device: Device) -> Iterator[Callable[[], None]]:
    """What waits for the device."""
    yield torch.cuda.synchronize if device.kind == "cuda" else lambda: None


def peak_memory() -> float:
    """Gigabytes at most: of the GPU since it was asked last, or of the process so far."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def free() -> None:
    """Give memory back before the next system."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
