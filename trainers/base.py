"""The base: the model that a student is made of, as a folder of safetensors, whoever it came from.

    name of ``factory models`` | .gguf file | folder | Hub id ─▶ find_base ─▶ Base ─▶ load_model, open_tokenizer

GGUF weights are unpacked once into the user's cache, by their sha256. Only safetensors are read, and no code that
comes with a model is run.
"""

import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from math import prod
from pathlib import Path
from typing import Any

from generators.errors import UsageError, cannot_write
from generators.models import Progress, cache_folder, find_model, list_models, local_path
from generators.models_cache import sha256_of
from generators.records import content_id
from trainers.machine import Device, Quantize, check_disk, check_room, free_memory
from trainers.sft_data import Tokenizer

SMALL = "smollm2-135m"
LARGE = "Qwen/Qwen2.5-7B-Instruct"
# Free GPU memory that the large default takes: held in bfloat16, or in four bits.
_ROOM = {"none": 28e9, "8bit": 18e9, "4bit": 12e9}
_HUB_FILES = ["*.safetensors", "*.json", "*.jinja", "*.txt", "tokenizer.model"]


@dataclass(frozen=True, slots=True)
class Base:
    """A model to start from.

    Attributes:
        spec: As the user names it.
        folder: Where its safetensors, config and tokenizer are.
        sha256: Of the weights: the GGUF file's, or over the safetensors' own.
        parameters: How many numbers it has.
    """

    spec: str
    folder: Path
    sha256: str
    parameters: int

    @property
    def config(self) -> dict[str, Any]:
        """The model's ``config.json``."""
        found = json.loads((self.folder / "config.json").read_text("utf-8"))
        return dict(found)

    @property
    def stops(self) -> object:
        """``eos_token_id`` as the model's configuration has it: a number, a list or ``None``."""
        path = self.folder / "generation_config.json"
        found = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        return found.get("eos_token_id", self.config.get("eos_token_id"))


def default_base(device: Device, quantize: str) -> str:
    """What to train where nothing is chosen: 7B where a GPU has room for it, else the small one."""
    return LARGE if device.kind == "cuda" and device.free >= _ROOM[quantize] else SMALL


def find_base(
    spec: str,
    progress: Callable[[Progress], None] | None = None,
    check: Callable[[int], None] | None = None,
) -> Base:
    """Find a base by name, file, folder or Hub id, and fetch it if need be.

    Args:
        spec: What the user names it.
        progress: Told of a fetch.
        check: Given the number of parameters of a base on the Hub before gigabytes are fetched; may raise.

    Raises:
        UsageError: There is none, it has no safetensors, or no room.
        TeacherError: A named model could not be fetched.
    """
    path = Path(spec).expanduser()
    if path.is_dir():
        return _base(spec, path.absolute(), _hash_of(path))
    if path.suffix == ".gguf" and path.is_file():
        digest = sha256_of(path)
        return _base(spec, _unpacked(path, digest), digest)
    if spec in {model.name for model in list_models()}:
        file = local_path(spec, progress)
        digest = find_model(spec).sha256
        return _base(spec, _unpacked(file, digest), digest)
    if spec.count("/") == 1 and not spec.startswith((".", "/", "~")):
        folder = _from_hub(spec, check)
        return _base(spec, folder, _hash_of(folder))
    raise UsageError(
        f"no student is called '{spec}': give a name of 'factory models list', a folder, a .gguf file or a Hub id"
    )


def open_tokenizer(base: Base) -> Tokenizer:
    """Load the base's tokenizer.

    Raises:
        UsageError: The folder holds none that transformers can open without foreign code.
    """
    from transformers import AutoTokenizer

    with quietly(), _explained(base):
        tokenizer = AutoTokenizer.from_pretrained(base.folder, local_files_only=True, trust_remote_code=False)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(base: Base, quantize: Quantize, device: Device) -> Any:  # noqa: ANN401 - packages without types
    """Load the model onto the device, its weights as they will be trained on.

    Raises:
        UsageError: The folder holds no model that transformers can open without foreign code.
    """
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    _fetch_no_code()
    dtype = getattr(torch, device.dtype)
    settings: dict[str, Any] = {}
    if quantize == "4bit":
        settings["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    elif quantize == "8bit":
        settings["quantization_config"] = BitsAndBytesConfig(load_in_8bit=True)
    place = int(os.environ.get("LOCAL_RANK", "0")) if device.kind == "cuda" else device.kind
    with quietly(), _explained(base):
        return AutoModelForCausalLM.from_pretrained(
            base.folder,
            dtype=dtype,
            device_map={"": place},
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            **settings,
        )


def _base(spec: str, folder: Path, digest: str) -> Base:
    if not (folder / "config.json").is_file():
        raise UsageError(f"{folder} holds no model (no config.json): give a folder in the form of transformers")
    return Base(spec, folder, digest, sum(_sizes(folder)))


def _sizes(folder: Path) -> Iterator[int]:
    """The size of every tensor, from the files' heads."""
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        yield from (prod(entry["shape"]) for name, entry in head.items() if name != "__metadata__")


def _hash_of(folder: Path) -> str:
    """The sha256 of one safetensors file, or over the list of several; noted in the cache, for gigabytes take long."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise UsageError(f"{folder} has no safetensors: other weights are not opened, for they can hold code")
    stamps = [(path.name, (found := path.stat()).st_size, found.st_mtime_ns) for path in files]
    note = cache_folder() / "hashes" / content_id(str(folder.resolve()), stamps)
    if note.is_file():
        return note.read_text("ascii").strip()
    digests = [sha256_of(path) for path in files]
    lines = "".join(f"{digest}  {path.name}\n" for digest, path in zip(digests, files, strict=True))
    digest = digests[0] if len(files) == 1 else hashlib.sha256(lines.encode()).hexdigest()
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(digest, "ascii")
    return digest


def _unpacked(file: Path, digest: str) -> Path:
    """The folder with a GGUF file's weights as safetensors, made when it is first wanted."""
    folder = cache_folder() / "unpacked" / digest[:16]
    if folder.is_dir():
        return folder
    # In memory every weight is a float32 for a while, which is eight times what four bits take.
    check_room(8 * file.stat().st_size, Device("cpu", "this machine", free_memory(), bf16=False))
    check_disk(folder.parent, 4 * file.stat().st_size, "the unpacked weights", "set FACTORY_CACHE")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{digest[:16]}-", dir=folder.parent))
    except OSError as error:
        raise cannot_write(folder.parent, error, "set FACTORY_CACHE") from error
    try:
        _unpack(file, draft)
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was quicker, with the same bytes
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _unpack(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        with quietly(), redirect_stderr(StringIO()):  # its bar heeds nothing else
            tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
            model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.bfloat16)
    except (ValueError, OSError, RuntimeError, NotImplementedError) as error:
        raise UsageError(f"{file} is no GGUF file that transformers can open ({error})") from error
    # What was unpacked is no longer quantised, but still carries the mark, and Trainer would refuse it.
    for owner in (model.config, model):
        for mark in ("quantization_config", "is_quantized", "quantization_method"):
            owner.__dict__.pop(mark, None)
    model.hf_quantizer = None
    with quietly():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _from_hub(spec: str, check: Callable[[int], None] | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        with quietly():
            _look_before_fetching(spec, check)
            return Path(snapshot_download(spec, allow_patterns=_HUB_FILES))
    except LocalEntryNotFoundError as error:
        raise UsageError(
            f"the Hub cannot be reached for {spec}, and it is not in the cache: give a folder, or a name of "
            "'factory models list'"
        ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise UsageError(f"the Hub does not give {spec} ({_first_line(error)}): check the name, or log in") from error


def _look_before_fetching(spec: str, check: Callable[[int], None] | None) -> None:
    """Refuse a base that this machine cannot train or has no room for; one that is in the cache costs nothing."""
    from huggingface_hub import HfApi, constants, snapshot_download

    try:
        wanted = snapshot_download(spec, allow_patterns=_HUB_FILES, dry_run=True)
    except OSError:  # out of reach: the fetch itself finds it in the cache, or says so
        return
    size = sum(file.file_size or 0 for file in wanted if file.will_download)
    if not size:
        return
    weights = HfApi().model_info(spec).safetensors
    if check is not None and weights is not None:
        check(weights.total)
    check_disk(Path(constants.HF_HUB_CACHE), size, f"the weights of {spec}", "set HF_HOME to another disk")


def _fetch_no_code() -> None:
    """Let no library find ``kernels``, with which bitsandbytes would fetch compiled code from the Hub at its import."""
    sys.modules.setdefault("kernels", None)  # type: ignore[arg-type] # the documented way to forbid an import


@contextmanager
def _explained(base: Base) -> Iterator[None]:
    """Say in one line what transformers says in many."""
    try:
        yield
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise UsageError(f"{base.spec} cannot be opened as a student: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def quietly() -> Iterator[None]:
    """Keep the packages' bars, advice and notices of coming changes off the screen; faults still raise."""
    from transformers.utils import logging as transformers_logging

    loggers = [logging.getLogger(name) for name in ("bitsandbytes", "accelerate", "trl", "huggingface_hub")]
    before, levels = transformers_logging.get_verbosity(), [logger.level for logger in loggers]
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_verbosity(before)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
