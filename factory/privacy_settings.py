"""The table ``[privacy]`` of ``factory.toml``: what becomes of each kind of private value.

{"email": "keep", "allow": "allowed.txt"} ─▶ PrivacyConfig
"""

from pathlib import Path
from typing import Any

from generators.allow_list import AllowList, read_allow_list
from generators.errors import UsageError
from generators.privacy import KINDS, POLICIES, PrivacyConfig

# What a key may be set to, where it is no text of its own.
_CHOICES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(KINDS, POLICIES),
    "instructions": ("skip", "keep"),
    "samples": ("redact", "keep"),
}
_TEXTS = ("allow", "salt")


def privacy_of(table: Any, path: Path) -> PrivacyConfig:  # noqa: ANN401 - from a file
    """Check the table and read the allow list that it names; ``UsageError`` for what is wrong in either."""
    if not isinstance(table, dict):
        raise UsageError(f"{path}: privacy = {table!r} must be a table: [privacy]")
    for key, value in table.items():
        _check(key, value, path)
    allow = read_allow_list(table["allow"]) if table.get("allow") else AllowList()
    return PrivacyConfig(
        policies={kind: table[kind] for kind in KINDS if kind in table},
        instructions=table.get("instructions", "skip"),
        samples=table.get("samples", "redact"),
        allow=allow,
        salt=table.get("salt", ""),
    )


def _check(key: str, value: Any, path: Path) -> None:  # noqa: ANN401 - from a file
    if key not in _CHOICES and key not in _TEXTS:
        raise UsageError(f"{path}: no setting 'privacy.{key}' (there are: {', '.join((*_CHOICES, *_TEXTS))})")
    # The value of a text is not repeated: a salt is a secret.
    if key in _TEXTS and not isinstance(value, str):
        raise UsageError(f"{path}: privacy.{key} is no text; put it in quotes")
    if key in _CHOICES and value not in _CHOICES[key]:
        raise UsageError(f"{path}: privacy.{key} = {value!r} must be one of {', '.join(_CHOICES[key])}")
