"""The settings as people read them: every value in words, and where it came from.

Settings ─▶ lines of ``factory status``
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from factory.config import Settings
from factory.visible import visible
from generators.privacy import KINDS, PrivacyConfig

_WIDTH = 60
# What 0 stands for, where it is no number.
_ZERO = {
    "pairs": "auto",
    "concurrency": "what suits the teacher",
    "facts": "as many as the prompt says",
    "questions": "all",
    "epochs": "what suits the base",
}
_EMPTY = {"template": "what suits the teacher", "student": "what suits this machine", "gold": "gold.jsonl, if there"}


def settings_lines(settings: Settings) -> Iterator[str]:
    """One line a setting, then the tables of ``factory.toml``."""
    for name, source in settings.sources.items():
        if "." not in name:
            yield _line(name, _in_words(name, getattr(settings, name)), source)
    for table in ("filters", "privacy", "prices", "gate", "train"):
        values = _values(getattr(settings, table))
        if values:
            yield f"  [{table}]"
        for key, value in values.items():
            yield _line(f"  {key}", value, settings.sources.get(f"{table}.{key}", "default"))


def _line(name: str, value: str, source: str) -> str:
    return f"  {name:<22} {visible(value, _WIDTH)}  ({visible(source)})"


def _in_words(name: str, value: Any) -> str:  # noqa: ANN401 - a value of any setting
    if value in (None, "", ()):
        return _EMPTY.get(name, "none")
    if value == 0 and name in _ZERO:
        return _ZERO[name]
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _values(table: Any) -> dict[str, str]:  # noqa: ANN401 - one of the tables
    """Keys and values; of what may be secret only that it is there."""
    if isinstance(table, PrivacyConfig):
        kinds: dict[str, str] = {kind: table.policy(kind) for kind in KINDS}
        allowed = len(table.allow.entries)
        more = {"allow": f"{allowed} entries" if allowed else "none", "salt": "set" if table.salt else "none"}
        return {**kinds, "instructions": table.instructions, "samples": table.samples, **more}
    if isinstance(table, Mapping):
        return {spec: f"{read} in, {written} out (USD a million tokens)" for spec, (read, written) in table.items()}
    assert is_dataclass(table)
    return {each.name: _in_words(each.name, getattr(table, each.name)) for each in fields(table)}
