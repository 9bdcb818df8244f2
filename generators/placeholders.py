"""What stands in a text where a private value stood: ``[API_KEY_1f3a]``, ``[EMAIL_1]``.

    Placeholders(("text",)).of("email", "jane@acme.io") ─▶ "[EMAIL_1]"

A placeholder must be the same whenever a chunk is asked about, must not change when another chunk does, and must tell
nobody the value. No one rule does all three for every kind:

- Keys, tokens and private keys are too random to guess. Theirs is a digest of 16 bits: the same key has the same
  placeholder in every chunk, and among 2 ** 100 keys so short a digest points at none.
- E-mail addresses, phone, card and identity numbers and passwords can be guessed: whoever has a list of a company's
  staff could look the digests up. Theirs are numbers, in the order of a chunk's first mentions. A number says nothing,
  and what stands in other chunks does not move it; but ``[EMAIL_1]`` of two chunks need not be one address.
- With a ``salt`` in the settings all are digests keyed with it, so that a value has one placeholder everywhere, and
  only who knows the salt can try a guess. It is a setting and not made up by us: a request's bytes depend on documents,
  prompts and settings alone, or no journal could be used again elsewhere.
"""

import hashlib
import re
from collections.abc import Sequence

_RANDOM_KINDS = ("api_key", "token", "private_key")
_PLACEHOLDER = re.compile(r"\[([A-Z][A-Z_]*)_(\d+)\]")
_UNKEYED = b"factory"


class Placeholders:
    """The placeholders of one chunk; ``texts`` are its own, so that what they hold already is not used again."""

    def __init__(self, texts: Sequence[str], salt: str = "") -> None:
        self._salt = salt
        self._numbers: dict[tuple[str, str], int] = {}
        self._last: dict[str, int] = {}
        for text in texts:
            if "_" in text:
                for kind, number in _PLACEHOLDER.findall(text):
                    self._last[kind] = max(self._last.get(kind, 0), int(number[:9]))

    def of(self, kind: str, value: str) -> str:
        """Return the placeholder of a value; spaces, hyphens and capitals make no other number or address."""
        name, same = kind.upper(), _same(kind, value)
        if self._salt or kind in _RANDOM_KINDS:
            return f"[{name}_{self._digest(kind, same)}]"
        number = self._numbers.get((kind, same))
        if number is None:
            number = self._numbers[kind, same] = self._last[name] = self._last.get(name, 0) + 1
        return f"[{name}_{number}]"

    def _digest(self, kind: str, value: str) -> str:
        key = hashlib.sha256(self._salt.encode()).digest() if self._salt else _UNKEYED
        data = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, key=key, digest_size=2).hexdigest()


def _same(kind: str, value: str) -> str:
    """What values that are written otherwise and mean the same have in common."""
    if kind == "email":
        return value.lower()
    return re.sub(r"[\W_]", "", value) if kind in ("phone", "card", "iban", "national_id") else value
