"""What this machine has: the device to train on, free memory and disk, and what a run will need of them.

find_device() ─▶ Device;   need(…) ─▶ bytes;   check_room(…) raises before anything is started
"""

import importlib.util
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from generators.errors import MissingExtraError, UsageError

Quantize = Literal["none", "8bit", "4bit"]
# Bytes of a weight, with the constants that quantisation keeps beside it.
_WEIGHT_BYTES = {"8bit": 1.1, "4bit": 0.6}
# A base beyond this many parameters trains for days without a GPU.
LARGEST_ON_CPU = 3_000_000_000
_PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate", "datasets", "gguf", "bitsandbytes")


@dataclass(frozen=True, slots=True)
class Device:
    """Where to train.

    Attributes:
        kind: ``cuda``, ``mps`` or ``cpu``.
        name: As the maker calls it.
        free: Bytes of memory that are free.
        bf16: Whether it computes in bfloat16 at full speed.
    """

    kind: str
    name: str
    free: int
    bf16: bool

    @property
    def dtype(self) -> str:
        """The name of the type in which the base is held."""
        return "bfloat16" if self.bf16 else "float32"


def need_extra() -> None:
    """Make sure that the packages for training are installed.

    Raises:
        MissingExtraError: One is not; the message is the install line.
    """
    if any(importlib.util.find_spec(name) is None for name in _PACKAGES):
        raise MissingExtraError("a student", "train")


def find_device() -> Device:
    """CUDA, else Apple's MPS, else the CPU."""
    import torch

    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        return Device("cuda", torch.cuda.get_device_name(), free, bool(torch.cuda.is_bf16_supported()))
    if torch.backends.mps.is_available():
        # bfloat16 came to MPS operation by operation; float32 is right on every one of these machines.
        return Device("mps", "Apple GPU", free_memory(), bf16=False)
    return Device("cpu", f"{torch.get_num_threads()} CPU threads", free_memory(), bf16=_cpu_has_bf16())


def free_memory() -> int:
    """Bytes of main memory that a new process may take, the container's limit minded."""
    import psutil

    free = int(psutil.virtual_memory().available)
    limit, used = _number("/sys/fs/cgroup/memory.max"), _number("/sys/fs/cgroup/memory.current")
    return min(free, limit - used) if limit is not None and used is not None else free


def memory_needed(
    parameters: int,
    adapter: int,
    hidden: int,
    layers: int,
    tokens: int,
    *,
    quantize: Quantize,
    device: Device,
    recomputed: bool = False,
) -> int:
    """Estimate the memory of a run in bytes.

    Args:
        parameters: Of the base.
        adapter: Parameters of the adapter, each held with its gradient, two moments and a copy (float32).
        hidden: Width of the base.
        layers: Its depth.
        tokens: In the largest micro-batch, padding included.
        quantize: How the base is held.
        device: Where.
        recomputed: Whether each layer's activations are computed again on the way back, one layer at a time.
    """
    width = 2 if device.bf16 else 4
    weights = parameters * _WEIGHT_BYTES.get(quantize, width)
    # Kept for the backward pass, measured at 135M and 1.5B: about 44 values of the hidden width a token and layer.
    activations = tokens * hidden * width * (layers + 44 if recomputed else layers * 44)
    return int(weights + adapter * 20 + activations + 500e6)


def check_room(needed: int, device: Device) -> None:
    """Refuse a run that cannot fit.

    Raises:
        UsageError: Too little memory; says how much is there and what would help.
    """
    if needed > device.free:
        raise UsageError(
            f"training needs about {needed / 1e9:.1f} GB of memory and {device.free / 1e9:.1f} GB are free on "
            f"{device.name}: choose a smaller --student, or --quantize 4bit, or a machine with more"
        )


def check_disk(folder: Path, needed: int, what: str = "checkpoints", instead: str = "choose another --out") -> None:
    """Refuse what would fill the disk; ``folder`` may not exist yet.

    Raises:
        UsageError: Too little room.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise UsageError(
            f"{folder} needs about {needed / 1e9:.1f} GB for {what} and {free / 1e9:.1f} GB are free: "
            f"free some space, or {instead}"
        )


def check_device(parameters: int, quantize: Quantize, device: Device) -> None:
    """Refuse what only a GPU can do in reasonable time, or what this one cannot do.

    Raises:
        UsageError: No fitting GPU.
    """
    if device.kind != "cuda" and parameters > LARGEST_ON_CPU:
        raise UsageError(
            f"a student of {parameters / 1e9:.1f} billion parameters needs a CUDA GPU, and none is found here: "
            "choose --student smollm2-135m"
        )
    if quantize != "none" and device.kind == "mps":
        raise UsageError(f"--quantize {quantize} needs a CUDA GPU or a CPU: on Apple's GPU leave it out")


def use_one_gpu() -> bool:
    """Without a launcher a process trains on one GPU; hide the others from it. Says whether there were any.

    To be called before anything has used CUDA.
    """
    import torch

    if launched() or torch.cuda.device_count() < 2:
        return False
    os.environ["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    return True


def world_size() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def launched() -> bool:
    """Whether ``accelerate launch`` or ``torchrun`` started this process beside others."""
    return world_size() > 1


def is_main() -> bool:
    """Whether this is the process that writes and speaks."""
    return os.environ.get("RANK", "0") == "0"


def _cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 matrices by itself; elsewhere float32 is faster."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return False
    flags: Sequence[str] = next((line.split() for line in text.splitlines() if line.startswith(("flags", "Feat"))), ())
    return any(flag in flags for flag in ("avx512_bf16", "amx_bf16", "bf16"))


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text("ascii"))
    except (OSError, ValueError):  # no such file, or "max"
        return None
