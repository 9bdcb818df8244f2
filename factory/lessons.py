"""What a training run works on: version, base, rows in tokens, settings; everything that can be wrong is said here.

Settings ─▶ Lessons
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import cast

from factory.config import Settings
from factory.going_on import going_on, what_is_new
from factory.progress import Screen
from factory.store import Version, Workspace, messages
from generators.chunk_records import CHUNKS_FILE, read_chunks
from generators.errors import UsageError
from generators.records import content_id
from trainers.base import Base, default_base, find_base, open_tokenizer
from trainers.job import Job
from trainers.lora import Recipe, recipe_for
from trainers.machine import Device, Quantize, check_device, find_device, use_one_gpu
from trainers.replay import replayed
from trainers.sft_data import Encoded, Example, Tokenizer, describe, encode_all, read_examples, stop_tokens
from trainers.student import Student, open_base
from trainers.student_folder import read_manifest


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a run works on, once everything that can be wrong with it has been looked at.

    Attributes:
        settings: The person's.
        version: The dataset.
        device: Where to train.
        base: What to train.
        tokenizer: Its own.
        recipe: How.
        train, validation: Rows in tokens.
        notes: What a person should hear before it starts.
        onward: The student that it goes on from; ``None`` for a new adapter.
    """

    settings: Settings
    version: Version
    device: Device
    base: Base
    tokenizer: Tokenizer
    recipe: Recipe
    train: tuple[Encoded, ...]
    validation: tuple[Encoded, ...]
    notes: tuple[str, ...]
    onward: Path | None = None

    @property
    def fingerprint(self) -> str:
        """Names what the adapter is made of: weights, rows and recipe; not the machine."""
        rows = [[(row.ids, row.trained, row.rehearsed) for row in split] for split in (self.train, self.validation)]
        return content_id("training-3", self.base.sha256, asdict(self.recipe), rows)

    def job(self, folder: Path) -> Job:
        """The run, with its folder."""
        config = self.settings.train
        trackers = tuple(filter(None, (name.strip() for name in self.settings.report_to.split(","))))
        return Job(
            self.base,
            self.tokenizer,
            self.train,
            self.validation,
            self.recipe,
            folder,
            micro_batch=config.micro_batch,
            checkpoint_seconds=config.checkpoint_seconds,
            report_to=() if trackers == ("none",) else trackers,
            onward=self.onward,
        )


def prepare(settings: Settings, screen: Screen, onward: Path | None = None, *, asking: bool = True) -> Lessons:
    """Find and read everything; nothing is written, but a base may be fetched.

    Args:
        settings: The person's.
        screen: Who hears of a download.
        onward: A student to go on from: only what is new since its version is trained, with as many old rows.
        asking: The base may be asked for rows against forgetting; without, they are left out.
    """
    version = _version(Path(settings.out).expanduser())
    splits = {name: _examples(version, name, settings.context) for name in ("train", "validation")}
    for name, rows in splits.items():
        if not rows:
            raise UsageError(
                f"the {name} split of {version.path} is empty: generate more pairs"
                + (", or raise validation_share" if name == "validation" else "")
            )
    notes = ["several GPUs are there and one is used: see docs/training.md for all"] if use_one_gpu() else []
    device = find_device()

    def check(parameters: int) -> None:
        check_device(parameters, cast("Quantize", settings.quantize), device)

    base = find_base(_student_of(settings, device, onward), screen.pulling, check)
    recipe = _recipe(settings, base)
    if onward is not None:
        recipe = going_on(recipe, onward, base)
        splits["train"], told = what_is_new(version, splits["train"], onward)
        notes.append(told)
    check(base.parameters)
    tokenizer = open_tokenizer(base)
    others = _replayed(settings, recipe, base, device, len(splits["train"]), screen, asking=asking)
    encoded = {}
    for name, rows in (("train", [*splits["train"], *others]), ("validation", splits["validation"])):
        encoded[name], left_out = encode_all(rows, tokenizer, stop_tokens(tokenizer, base.stops), recipe.max_tokens)
        if left_out:
            notes.append(f"left out of {name}: {describe(left_out)}")
    if others:
        source = settings.train.replay_file or "the base's own answers"
        each = round(recipe.replay_share * len(splits["train"]))
        turns = f", {each} of them in each epoch" if each < len(others) else ""
        notes.append(f"{len(others)} rows of {source} are mixed in against forgetting{turns}")
    train, validation = tuple(encoded["train"]), tuple(encoded["validation"])
    return Lessons(settings, version, device, base, tokenizer, recipe, train, validation, tuple(notes), onward)


def _student_of(settings: Settings, device: Device, onward: Path | None) -> str:
    """What to train: as given, else the base of the student that goes on, else what suits the machine."""
    before = str(read_manifest(onward)["base"]["spec"]) if onward else ""
    return settings.student or before or default_base(device, settings.quantize)


def _version(out: Path) -> Version:
    version = Workspace(out).latest()
    if version is None:
        raise UsageError(f"there is no dataset in {out}: run 'factory generate --docs … --out {out}' first")
    return version


def _recipe(settings: Settings, base: Base) -> Recipe:
    return recipe_for(
        base.parameters,
        settings.train,
        preset=settings.preset,
        epochs=settings.epochs,
        seed=settings.seed,
        quantize=settings.quantize,
        method=settings.method,
        context=settings.context,
    )


def _examples(version: Version, split: str, context: str) -> list[Example]:
    """The rows of a split in the order of its file, each with its section if the student is to read."""
    rows = [row for row in version.rows if row.place.split == split]
    found = read_examples({"messages": messages(row.pair, version.manifest["system_prompt"])} for row in rows)
    texts = _texts(version) if context == "chunk" else {}
    missing = {row.pair.chunk for row in rows} - texts.keys() if context == "chunk" else set()
    if missing:
        raise UsageError(
            f"--context chunk needs the sections of the rows, and {len(missing)} of them are not in "
            f"{version.path / CHUNKS_FILE}: run 'factory generate' again, which keeps them with the version"
        )
    return [
        replace(example, context=texts.get(row.pair.chunk, ""), chunk=row.pair.chunk)
        for example, row in zip(found, rows, strict=True)
    ]


def _texts(version: Version) -> Mapping[str, str]:
    return {chunk.id: chunk.text for chunk in read_chunks(version.path)}


def _replayed(
    settings: Settings, recipe: Recipe, base: Base, device: Device, rows: int, screen: Screen, *, asking: bool
) -> Sequence[Example]:
    """Rows of other kinds: their share of the training rows of a person's file, or the base's own for every epoch."""
    config = settings.train
    wanted = round(config.replay_share * rows)
    if not wanted or not (config.replay_file or asking):
        return ()
    if not config.replay_file:

        def opened() -> Student:
            screen.note("asking the base ordinary questions: its answers are mixed in against forgetting")
            return open_base(base, cast("Quantize", settings.quantize), device)

        return replayed(base.sha256, wanted * recipe.epochs, opened)
    path = Path(config.replay_file).expanduser()
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    found = read_examples(lines)
    return Random(settings.seed).sample(found, min(len(found), wanted))  # noqa: S311 - a choice of rows, no secret
