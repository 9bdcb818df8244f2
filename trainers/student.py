"""The student, to be asked: a base with its adapter, behind the teachers' own protocol.

    open_student(students/s0001) ─▶ Student;   conversations ─▶ Student.answer_all ─▶ answers

Greedy, in batches, padded on the left, by the same template and the same tokens as in training.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from generators.errors import UsageError
from generators.models_cache import sha256_of
from generators.teachers import Message, RawReply, Reply, Request
from generators.teachers.bodies import reply_object
from trainers.base import Base, find_base, load_model, open_tokenizer, quietly
from trainers.machine import Device, Quantize, check_room, find_device, memory_needed, need_extra
from trainers.sft_data import Tokenizer, prompt_tokens, stop_tokens
from trainers.student_folder import WEIGHTS, read_manifest

# Prompt tokens of one batch: enough to keep a machine busy, few enough to fit beside the weights.
_BATCH_TOKENS = {"cpu": 4096, "mps": 4096, "cuda": 32768}
_BATCH_ROWS = {"cpu": 64, "mps": 64, "cuda": 128}


class Student:
    """A model that answers; also a ``Teacher``: ``send`` one request, ``read`` its body.

    Attributes:
        spec: ``student/s0001``, or ``base/NAME`` without an adapter.
        base: What it was made of.
        system: The system message it was trained with; empty if unknown.
    """

    is_local = True
    slots = 1

    def __init__(self, spec: str, base: Base, model: Any, tokenizer: Tokenizer, system: str = "") -> None:  # noqa: ANN401
        self.spec = spec
        self.base = base
        self.system = system
        self._model = model
        self._tokenizer = tokenizer
        self._stops = stop_tokens(tokenizer, base.stops)

    def answer_all(self, conversations: Sequence[Sequence[Message]], max_tokens: int) -> list[str]:
        """Answer conversations, each ending with a question, in their order; at most ``max_tokens`` an answer."""
        return [text for text, _, _ in self._replies(conversations, max_tokens)]

    def whole_answers(self, conversations: Sequence[Sequence[Message]], max_tokens: int) -> list[str]:
        """Like ``answer_all``, but nothing where the answer did not end within ``max_tokens``."""
        return [text if written < max_tokens else "" for text, _, written in self._replies(conversations, max_tokens)]

    async def send(self, request: Request) -> RawReply:
        """Answer one request; schema, temperature and seed are not looked at."""
        began = time.perf_counter()
        [(text, asked, written)] = await asyncio.to_thread(self._replies, [request.messages], request.max_tokens)
        finish = "length" if written >= request.max_tokens else "stop"
        body = {"text": text, "finish": finish, "input_tokens": asked, "output_tokens": written}
        return RawReply(json.dumps(body).encode(), 200, time.perf_counter() - began)

    def read(self, body: bytes) -> Reply:
        """Decode the body of a reply."""
        found = reply_object(body)
        return Reply(found["text"], found["finish"], self.spec, found["input_tokens"], found["output_tokens"])

    async def aclose(self) -> None:
        """Free the memory."""
        self._model = None

    def _replies(self, conversations: Sequence[Sequence[Message]], max_tokens: int) -> list[tuple[str, int, int]]:
        """(answer, prompt tokens, answer tokens) of each conversation."""
        prompts = [prompt_tokens(chat, self._tokenizer) for chat in conversations]
        replies: dict[int, tuple[str, int, int]] = {}
        for batch in _batches(prompts, self._model.device.type):
            for number, answer in zip(
                batch, self._generate([prompts[each] for each in batch], max_tokens), strict=True
            ):
                text = self._tokenizer.decode(answer, skip_special_tokens=True).strip()
                replies[number] = (text, len(prompts[number]), len(answer))
        return [replies[number] for number in range(len(prompts))]

    def _generate(self, prompts: list[list[int]], max_tokens: int) -> list[list[int]]:
        """Continue prompts greedily; returns the new tokens, the one that ends the turn not included."""
        import torch

        width = max(map(len, prompts))
        pad = self._tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(each)) + each for each in prompts], device=self._model.device)
        mask = torch.tensor([[0] * (width - len(each)) + [1] * len(each) for each in prompts], device=ids.device)
        with torch.inference_mode(), quietly():
            written = self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max_tokens,
                do_sample=False,
                num_beams=1,
                temperature=None,
                top_p=None,
                top_k=None,
                repetition_penalty=1.0,
                eos_token_id=sorted(self._stops),
                pad_token_id=pad,
            )
        return [self._until_stop(row) for row in written[:, width:].tolist()]

    def _until_stop(self, tokens: list[int]) -> list[int]:
        end = next((place for place, token in enumerate(tokens) if token in self._stops), len(tokens))
        return tokens[:end]


def open_student(path_or_base: str | Path, adapter: Path | None = None) -> Student:
    """Open a student to ask it.

    Args:
        path_or_base: A student's folder; or a base as ``--student`` takes it.
        adapter: A student's folder whose adapter to put on that base; ``None`` for the base alone.

    Raises:
        UsageError: There is none, its files were changed, or the adapter was made for another base.
        MissingExtraError: The packages for training are not installed.
    """
    need_extra()
    given = Path(path_or_base).expanduser()
    if adapter is None and ((given / WEIGHTS).is_file() or (given / "manifest.json").is_file()):
        adapter = given
    if adapter is None:
        base = find_base(str(path_or_base))
        return _opened(f"base/{path_or_base}", base, None, "none", "", find_device())
    adapter = adapter.resolve()
    manifest = read_manifest(adapter)
    base = find_base(manifest["base"]["spec"] if given.resolve() == adapter else str(path_or_base))
    check_base(adapter, manifest, base)
    if sha256_of(adapter / WEIGHTS) != manifest["files"][WEIGHTS]:
        raise UsageError(f"{adapter / WEIGHTS} is not what was trained (its sha256 is another): train again")
    quantize = cast("Quantize", manifest["settings"]["quantize"])
    return _opened(f"student/{adapter.name}", base, adapter, quantize, manifest["system_prompt"], find_device())


def open_base(base: Base, quantize: Quantize, device: Device) -> Student:
    """Open a base that was found, held as it is in training.

    Raises:
        UsageError: It cannot be opened, or there is no room for it.
    """
    shape = base.config
    width, depth = int(shape["hidden_size"]), int(shape["num_hidden_layers"])
    check_room(memory_needed(base.parameters, 0, width, depth, 0, quantize=quantize, device=device), device)
    return _opened(f"base/{base.spec}", base, None, quantize, "", device)


def check_base(adapter: Path, manifest: dict[str, Any], base: Base) -> None:
    """Refuse a base whose weights are not those that the adapter was trained on.

    Raises:
        UsageError: They differ.
    """
    wanted = manifest["base"]["weights_sha256"]
    if base.sha256 != wanted:
        raise UsageError(
            f"{adapter} was trained on {manifest['base']['spec']} (weights {wanted[:12]}…), "
            f"not on {base.spec} (weights {base.sha256[:12]}…): give the base that it was made for"
        )


def latest_student(out: Path) -> Path:
    """The folder of a workspace's latest student.

    Raises:
        UsageError: There is none yet.
    """
    latest = out / "students" / "latest"
    if not latest.is_dir():
        raise UsageError(f"{out} has no student yet: run 'factory train --out {out}' first")
    return latest.resolve()


def _opened(spec: str, base: Base, adapter: Path | None, quantize: Quantize, system: str, device: Device) -> Student:
    tokenizer, model = open_tokenizer(base), load_model(base, quantize, device)
    if adapter is not None:
        with quietly():
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, adapter, is_trainable=False)
        if quantize == "none":
            model = model.merge_and_unload()
    return Student(spec, base, model.eval(), tokenizer, system)


def _batches(prompts: Sequence[Sequence[int]], device: str) -> Iterator[list[int]]:
    """Numbers of prompts of like length, as many as suit the device."""
    batch: list[int] = []
    for number in sorted(range(len(prompts)), key=lambda each: -len(prompts[each])):
        longest = len(prompts[batch[0]]) if batch else 0
        if batch and (len(batch) >= _BATCH_ROWS[device] or (len(batch) + 1) * longest > _BATCH_TOKENS[device]):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
