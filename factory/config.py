"""Settings, each from the first of: flag, environment, ``factory.toml``, default; and where each came from.

    resolve({"teacher": None, …}, Path.cwd()) ─▶ Settings(values, sources)

``factory.toml`` lies in the folder that the command runs in (or ``FACTORY_CONFIG_FILE``). An unknown key is an error,
in the file and in the environment.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from factory.environment import check_environment, variable_of
from factory.gate_settings import gate_of
from factory.privacy_settings import privacy_of
from factory.train_settings import CHOICES, train_of
from factory.versions_settings import VersionsConfig, versions_of
from filters.apply import FilterConfig
from generators.errors import UsageError
from generators.privacy import PrivacyConfig
from trainers.gate import GateConfig
from trainers.lora import TrainConfig

DEFAULT_TEACHER = "local/qwen2.5-coder-0.5b"
CONFIG_FILE = "factory.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is told, one field a setting; the names are the flags' and the keys of ``factory.toml``.

    Attributes:
        docs: Folders or files to read.
        out: The workspace.
        teacher: SPEC of the teacher.
        template: Name or path of the prompt; empty for the one that suits the teacher.
        product: What the documentation is about, told to the teacher; may be empty.
        system_prompt: First message of every row; ``{name}`` stands for the product, else for the docs folder's
            name when the workspace was first published.
        pairs: How many pairs to accept; 0 is ``auto``, every chunk in proportion to what it says.
        include, exclude: Globs of documents.
        concurrency: Requests in flight at most; 0 lets the teacher decide.
        max_cost: USD at which to stop; ``None`` for no cap.
        max_tokens: Tokens, of prompts and replies together, at which to stop; ``None`` for no cap.
        seed: Of sampling and of the splits.
        temperature: Of the teacher; ``None`` for its default.
        facts: Facts a section at most; 0 for the template's own number.
        test_share, validation_share: Of the wordings.
        unseen_share: Of the documents, held out whole for the test.
        multi_section_share: Of all facts, so many are asked once more together with one of another section, by rule.
        rewordings: Of each question that a local teacher writes, so many in other words, by rule.
        unanswerable_share: Of all pairs, questions that the documents do not answer, with an answer that says so.
        check: SPEC of a model that looks at each pair before it is accepted, or ``teacher``; empty for none.
        check_how: ``judge``: is the answer supported by the section; ``round_trip``: is it given again; or ``both``.
        check_votes: Of the judge on each pair.
        gold: File of a person's own pairs; empty for ``gold.jsonl`` in the workspace, if it exists.
        against: SPEC of the teacher that a student is scored against; empty for the one that wrote the dataset.
        judge: SPEC of the model that grades beside the rules; empty for none.
        judge_template: Name or path of its prompt.
        votes: Of the judge on each answer.
        questions: That each system is asked at most; 0 for 60 on a CPU and 400 on a GPU.
        student: What to train: a name of ``factory models``, a folder, a .gguf file or a Hub id; empty for what suits
            the machine.
        quantize: How the base is held in training: ``none``, ``8bit`` or ``4bit``.
        method: How it is trained; ``sft``.
        preset: ``default``, or ``guide`` for the textbook settings.
        epochs: Passes over the rows at most; 0 for what suits the base.
        context: ``none``: closed-book; ``chunk``: with the section before each question.
        report_to: Trackers to report to besides the local file, such as ``tensorboard,wandb``; empty for none.
        filters: Thresholds of the funnel.
        prices: SPEC → USD a million tokens (input, output), over the maintained table.
        privacy: What becomes of secrets and addresses in the documents.
        gate: When a student may ship.
        train: Settings of training that are rarely touched.
        versions: Which published versions stay on the disk.
    """

    docs: tuple[str, ...] = ()
    out: str = "factory-data"
    teacher: str = DEFAULT_TEACHER
    template: str = ""
    product: str = ""
    system_prompt: str = "You are a helpful assistant for '{name}'."
    pairs: int = 0
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    concurrency: int = 0
    max_cost: float | None = None
    max_tokens: int | None = None
    seed: int = 0
    temperature: float | None = None
    facts: int = 0
    test_share: float = 0.1
    validation_share: float = 0.1
    unseen_share: float = 0.05
    unanswerable_share: float = 0.05
    multi_section_share: float = 0.05
    rewordings: int = 4
    check: str = ""
    check_how: str = "judge"
    check_votes: int = 1
    gold: str = ""
    against: str = ""
    judge: str = ""
    judge_template: str = "judge"
    votes: int = 1
    questions: int = 0
    student: str = ""
    quantize: str = "none"
    method: str = "sft"
    preset: str = "default"
    epochs: int = 0
    context: str = "none"
    report_to: str = ""
    filters: FilterConfig = field(default_factory=FilterConfig)
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)
    gate: GateConfig = field(default_factory=GateConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    versions: VersionsConfig = field(default_factory=VersionsConfig)
    sources: Mapping[str, str] = field(default_factory=dict)


_TABLES = ("filters", "prices", "privacy", "gate", "train", "versions")


def resolve(flags: Mapping[str, Any], folder: Path) -> Settings:
    """Settle every setting.

    Args:
        flags: Setting name → value given on the command line; ``None`` or an empty tuple means not given.
        folder: Where ``factory.toml`` is looked for.

    Returns:
        The settings; ``sources`` says for each where it came from: ``flag``, the variable, the file, ``default``;
        of the tables (``filters.near_duplicate``) only what the file sets.
    """
    path = Path(os.environ.get("FACTORY_CONFIG_FILE", "") or folder / CONFIG_FILE)
    file = _read(path)
    plain = [setting.name for setting in fields(Settings) if setting.name not in (*_TABLES, "sources")]
    check_environment(plain, _TABLES, CONFIG_FILE)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name in plain:
        variable = variable_of(name)
        if flags.get(name) not in (None, ()):
            values[name], sources[name] = flags[name], "flag"
        elif os.environ.get(variable):
            values[name], sources[name] = _converted(name, os.environ[variable], variable), variable
        elif name in file:
            values[name], sources[name] = _converted(name, file[name], str(path)), str(path)
        else:
            sources[name] = "default"
        if name in values:
            _checked(name, values[name], sources[name])
    values["filters"] = _filters(file.get("filters", {}), path)
    values["prices"] = _prices(file.get("prices", {}), path)
    values["privacy"] = privacy_of(file.get("privacy", {}), path)
    values["gate"] = gate_of(file.get("gate", {}), path)
    values["train"] = train_of(file.get("train", {}), path)
    sources |= {f"{table}.{key}": str(path) for table in _TABLES for key in file.get(table, {})}
    values["versions"] = versions_of(file.get("versions", {}), path)
    return Settings(**values, sources=sources)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except FileNotFoundError:
        if os.environ.get("FACTORY_CONFIG_FILE"):
            raise UsageError(f"FACTORY_CONFIG_FILE names {path}, which does not exist") from None
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    known = [setting.name for setting in fields(Settings) if setting.name != "sources"]
    unknown = [key for key in table if key not in known]
    if unknown:
        raise UsageError(f"{path}: no setting '{unknown[0]}' (there are: {', '.join(known)})")
    return table


_LISTS = ("docs", "include", "exclude")
_WHOLE = (
    "pairs",
    "concurrency",
    "seed",
    "facts",
    "max_tokens",
    "votes",
    "questions",
    "epochs",
    "rewordings",
    "check_votes",
)
_DECIMAL = (
    "max_cost",
    "temperature",
    "test_share",
    "validation_share",
    "unseen_share",
    "unanswerable_share",
    "multi_section_share",
)
# Least and most of what is limited, whichever way it is set.
_ANY = float("inf")
_LIMITS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(
        ("concurrency", "facts", "max_cost", "max_tokens", "temperature", "questions", "epochs"), (0, _ANY)
    ),
    **dict.fromkeys(("test_share", "validation_share", "unseen_share"), (0, 1)),
    **dict.fromkeys(("unanswerable_share", "multi_section_share"), (0, 0.5)),
    **dict.fromkeys(("votes", "check_votes"), (1, _ANY)),
    **dict.fromkeys(
        ("quote_similarity", "near_duplicate", "semantic_duplicate", "answer_overlap", "answer_support"), (0, 1)
    ),
    **dict.fromkeys(("min_answer_chars", "max_answer_chars", "max_question_chars", "wordings_a_fact"), (1, _ANY)),
}


def _converted(name: str, raw: Any, where: str) -> Any:  # noqa: ANN401 - a value of any setting
    """A setting from a file or the environment in its own type; ``UsageError`` says what was expected."""
    if name in _LISTS:
        return _list(name, raw.split(os.pathsep) if isinstance(raw, str) else raw, where)
    if name == "pairs":
        return _pairs(raw, where)
    if name in _WHOLE or name in _DECIMAL:
        try:
            return _whole(raw) if name in _WHOLE else _decimal(raw)
        except (TypeError, ValueError):
            raise UsageError(f"{where}: {name} = {raw!r} is no {'whole ' * (name in _WHOLE)}number") from None
    if not isinstance(raw, str):
        raise UsageError(f"{where}: {name} = {raw!r} is no text; put it in quotes")
    return raw


def _checked(name: str, value: Any, where: str) -> Any:  # noqa: ANN401 - a value of any setting
    """The value, if it is within its limits."""
    if name in CHOICES and value not in CHOICES[name]:
        raise UsageError(f"{where}: {name} = {value!r} is none of: {', '.join(CHOICES[name])}")
    least, most = _LIMITS.get(name, (-_ANY, _ANY))
    # Not-a-number compares false with everything: as a cap it would cap nothing.
    if isinstance(value, int | float) and not (least <= value <= most and value != _ANY):
        span = f"from {least:g} to {most:g}" if most < _ANY else f"{least:g} or more"
        raise UsageError(f"{where}: {name} = {value} must be {span}")
    return value


def _list(name: str, raw: Any, where: str) -> tuple[str, ...]:  # noqa: ANN401 - from a file
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
        raise UsageError(f'{where}: {name} = {raw!r} is no list of texts, such as ["one", "two"]')
    return tuple(raw)


def _pairs(raw: Any, where: str) -> int:  # noqa: ANN401 - from a file or the environment
    if raw == "auto":
        return 0
    try:
        number = _whole(raw)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise UsageError(f"{where}: pairs = {raw!r} is neither 'auto' nor a number from 1 on")
    return number


def _whole(raw: Any) -> int:  # noqa: ANN401 - from a file or the environment
    if isinstance(raw, bool) or (isinstance(raw, float) and not raw.is_integer()):
        raise ValueError(raw)
    return int(raw)


def _decimal(raw: Any) -> float:  # noqa: ANN401 - from a file or the environment
    if isinstance(raw, bool):
        raise TypeError(raw)
    return float(raw)


def _filters(table: Any, path: Path) -> FilterConfig:  # noqa: ANN401 - from a file
    if not isinstance(table, dict):
        raise UsageError(f"{path}: filters = {table!r} must be a table: [filters]")
    defaults = FilterConfig()
    values: dict[str, Any] = {}
    for key, raw in table.items():
        if key not in {entry.name for entry in fields(FilterConfig)}:
            names = ", ".join(entry.name for entry in fields(FilterConfig))
            raise UsageError(f"{path}: no setting 'filters.{key}' (there are: {names})")
        default = getattr(defaults, key)
        if isinstance(default, tuple):
            values[key] = _list(f"filters.{key}", raw, str(path))
            continue
        if isinstance(default, bool):
            if not isinstance(raw, bool):
                raise UsageError(f"{path}: filters.{key} = {raw!r} must be true or false")
            values[key] = raw
            continue
        try:
            value = _whole(raw) if isinstance(default, int) else _decimal(raw)
        except (TypeError, ValueError):
            raise UsageError(f"{path}: filters.{key} = {raw!r} should be like {default!r}") from None
        values[key] = _checked(key, value, f"{path}: [filters]")
    return FilterConfig(**values)


def _prices(table: Any, path: Path) -> dict[str, tuple[float, float]]:  # noqa: ANN401 - from a file
    if not isinstance(table, dict):
        raise UsageError(f"{path}: prices = {table!r} must be a table: [prices]")
    prices: dict[str, tuple[float, float]] = {}
    for spec, pair in table.items():
        good = isinstance(pair, list) and len(pair) == 2 and all(isinstance(p, int | float) and p >= 0 for p in pair)
        if not good:
            raise UsageError(
                f"{path}: prices.'{spec}' must be [USD a million input tokens, USD a million output tokens]"
            )
        prices[spec] = (float(pair[0]), float(pair[1]))
    return prices
