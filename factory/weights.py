"""``factory models``: list, pull and add model weights, for people.

name ─▶ text for stdout; progress on stderr
"""

import json
from pathlib import Path

from factory.progress import Screen
from generators.models import add_model, list_models, pull


def show_models(*, as_json: bool) -> str:
    """The table of models: name, size, licence, whether it is on this machine."""
    found = list_models()
    if as_json:
        rows = [
            {
                "name": model.name,
                "file": model.file,
                "bytes": model.size,
                "sha256": model.sha256,
                "licence": model.licence,
                "cached": model.cached,
            }
            for model in found
        ]
        return json.dumps({"models": rows})
    width = max(len(model.name) for model in found)
    return "\n".join(
        f"{model.name:<{width}}  {(model.size or 0) / 1e6:>6.0f} MB  {model.licence:<12}  "
        f"{'here' if model.cached else 'not here yet'}"
        for model in found
    )


def pull_model(name: str, *, quiet: bool) -> str:
    """Fetch a model; returns its path."""
    with Screen(quiet=quiet) as screen:
        return str(pull(name, screen.pulling))


def add(name: str, *, file: str | None, url: str | None, sha256: str | None, licence: str) -> str:
    """Add a model to the user's own table."""
    source = Path(file).expanduser() if file else None
    model = add_model(name, file=source, url=url, sha256=sha256 or "", licence=licence)
    return f"{model.name} added; use it as --teacher local/{model.name}"
