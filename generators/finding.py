"""A private value in a text: its kind and where it stands, never the value itself.

Finding("email", 12, 31)
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One private value: ``text[start:end]``, of a kind that the policies name (``email``, ``api_key``, …)."""

    kind: str
    start: int
    end: int


Detector = Callable[[str], Iterable[Finding]]
