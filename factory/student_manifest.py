"""The manifest of a student: what it was made of, how it went, what may be done with it.

Lessons, Trained ─▶ the object of ``manifest.json``;   that object ─▶ the object of ``train --json``
"""

import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from factory import __version__
from factory.lessons import Lessons
from generators.models_cache import sha256_of
from trainers.student_folder import WEIGHTS
from trainers.train import Trained

_LIBRARIES = ("torch", "transformers", "peft", "trl", "accelerate", "bitsandbytes")
_WORDS = {"none": "closed-book", "chunk": "reads a section first"}


def manifest_of(lessons: Lessons, trained: Trained, overfitting: str) -> dict[str, Any]:
    """Describe a student that is about to be published; its name and files are added by ``publish``."""
    recipe, dataset = lessons.recipe, lessons.version
    answers = sum(sum(row.trained) for row in lessons.train)
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "fingerprint": lessons.fingerprint,
        "base": {
            "spec": lessons.base.spec,
            "weights_sha256": lessons.base.sha256,
            "parameters": lessons.base.parameters,
        },
        "dataset": {
            "version": dataset.name,
            "manifest_sha256": sha256_of(dataset.path / "manifest.json"),
            "rows": {
                "train": sum(not row.rehearsed for row in lessons.train),
                "rehearsed": sum(row.rehearsed for row in lessons.train),
                "validation": len(lessons.validation),
            },
        },
        "teacher": dataset.manifest["teacher"],
        "terms": dataset.manifest["terms"],
        "system_prompt": dataset.manifest["system_prompt"],
        "method": recipe.method,
        "went_on_from": lessons.onward.name if lessons.onward else None,
        "context_words": _WORDS[recipe.context],
        "settings": asdict(recipe),
        "ended": trained.ended,
        "steps": trained.steps,
        "best_step": trained.best_step,
        "strength": trained.strength,
        "losses": {"train": trained.train_loss, "validation": trained.validation_loss},
        "overfitting": overfitting,
        "tokens": {"read": trained.tokens, "answers_an_epoch": answers},
        "tokens_per_second": trained.tokens_per_second,
        "seconds": trained.seconds,
        "adapter_sha256": sha256_of(trained.adapter / WEIGHTS),
        "device": {"kind": lessons.device.kind, "name": lessons.device.name, "dtype": lessons.device.dtype},
        "micro_batch": trained.micro_batch,
        "versions": {"factory": __version__, "python": platform.python_version(), **_libraries()},
    }


def result_of(manifest: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The object that ``train --json`` prints."""
    return {
        "adapter": str(folder),
        "base": manifest["base"]["spec"],
        "method": manifest["method"],
        "train_tokens": manifest["tokens"]["read"],
        "trained_tokens_per_second": round(manifest["tokens_per_second"], 1),
        "train_loss": manifest["losses"]["train"],
        "validation_loss": manifest["losses"]["validation"],
        "seconds": round(manifest["seconds"], 1),
    }


def _libraries() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
