"""What of a chunk a teacher may see: private values replaced, hidden text taken out, or the whole chunk withheld.

    clean(chunk, PrivacyConfig()) ─▶ Cleaned(chunk of the same id, places of what was replaced, withheld, stopped)

It stands where requests are built (``generators.qa``), so that nobody can go round it, and whoever judges a reply
judges it by the cleaned chunk: what a teacher never saw cannot come into the dataset. A clean chunk bears a seal, which
another letter or another setting breaks; cleaning it again costs next to nothing. No value is kept anywhere: a place is
a document, a line and a kind.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from generators.allow_list import AllowList
from generators.chat_tokens import without_chat_tokens
from generators.detectors import DETECTORS
from generators.detectors.contacts import is_sample
from generators.errors import UsageError
from generators.finding import Detector, Finding
from generators.hidden_html import without_hidden_html
from generators.instructions import instruction_in
from generators.invisible import visible_text
from generators.placeholders import Placeholders
from generators.records import Chunk, Reject, content_id
from generators.unescaped import Unescaped, as_read, unescaped

Policy = Literal["redact", "skip", "stop", "keep"]
POLICIES: tuple[Policy, ...] = ("redact", "skip", "stop", "keep")
KINDS = ("api_key", "token", "private_key", "password", "email", "phone", "card", "iban", "national_id")
# Raised when the rules find more or less than before, so that sections are asked about again where that matters.
RULES = 2
_MOST_ROUNDS = 8  # two are enough for what people write
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class PrivacyConfig:
    """What becomes of what is found (``[privacy]`` in factory.toml).

    Attributes:
        policies: Kind → ``redact`` (replace it), ``skip`` (do not ask about its chunk), ``stop`` (send nothing at all)
            or ``keep``. A kind that is not named is redacted.
        instructions: ``skip`` chunks that order the model about, or ``keep`` them.
        samples: ``keep`` the e-mail addresses and phone numbers that are reserved for documentation (example.com,
            555-01xx), or ``redact`` them like all others: many that look like samples are not.
        allow: Values that are left as they are.
        salt: With one, every placeholder is a digest keyed with it; see ``generators.placeholders``.
        detectors: What looks for private values; add your own to ``DETECTORS``, with kinds of your own.
    """

    policies: Mapping[str, Policy] = field(default_factory=dict)
    instructions: Literal["skip", "keep"] = "skip"
    samples: Literal["redact", "keep"] = "redact"
    allow: AllowList = field(default_factory=AllowList, repr=False)
    salt: str = field(default="", repr=False)
    detectors: tuple[Detector, ...] = DETECTORS
    fingerprint: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Hash all that decides what is sent; nothing can be read from the hash."""
        names = [f"{each.__module__}.{each.__qualname__}" for each in self.detectors]
        table = {kind: policy for kind, policy in self.policies.items() if policy != "redact"}
        settings = (RULES, table, self.instructions, self.samples, self.allow.entries, self.salt, names)
        object.__setattr__(self, "fingerprint", content_id("privacy", *settings))

    def policy(self, kind: str) -> Policy:
        """What becomes of a kind."""
        return self.policies.get(kind, "redact")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something private stands; ``heading`` is the cleaned title, if it stands in one."""

    document: str
    line: int
    kind: str
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A chunk as a teacher may see it.

    Attributes:
        chunk: With placeholders, and with the id that it had.
        redacted: Places of what was replaced.
        withheld: Why it is not to be asked about; ``None`` if it is.
        stopped: Places of what ends the run.
    """

    chunk: Chunk
    redacted: tuple[Spot, ...] = ()
    withheld: Reject | None = None
    stopped: tuple[Spot, ...] = ()


def find_private(text: str, config: PrivacyConfig) -> list[Finding]:
    """Find what is private and not to be kept, in order; what overlaps is one finding."""
    found, allowed = _found(text, config)
    read = unescaped(text)
    if read:
        beneath, allowed = ([_replaced(each, read) for each in some] for some in _found(read.text, config))
        # What is allowed as a reader sees it is allowed as it is written.
        found = [*_not_within(allowed, found), *beneath]
    return _merged(found) if found else found


def _found(text: str, config: PrivacyConfig) -> tuple[list[Finding], list[Finding]]:
    """What the detectors find: what is not to be kept, and what the settings allow."""
    found, allowed = list[Finding](), list[Finding]()
    for detector in config.detectors:
        for each in detector(text):
            if config.policy(each.kind) != "keep":
                kept = _is_allowed(each.kind, text[each.start : each.end], config)
                (allowed if kept else found).append(each)
    return found, allowed


def _replaced(finding: Finding, read: Unescaped) -> Finding:
    return Finding(finding.kind, *read.span(finding.start, finding.end))


def _not_within(allowed: Iterable[Finding], found: Iterable[Finding]) -> Iterator[Finding]:
    """The findings that are no part of an allowed one of their kind."""
    ordered = sorted(allowed, key=lambda each: each.start)
    starts = [each.start for each in ordered]
    for each in found:
        at = bisect_right(starts, each.start) - 1
        if at < 0 or ordered[at].kind != each.kind or ordered[at].end < each.end:
            yield each


def redact(text: str, config: PrivacyConfig) -> str:
    """One text that is no chunk, such as a message about a file."""
    plain = _plain(text)
    return _redacted(plain, find_private(plain, config), Placeholders((plain,), config.salt), config)


def clean(chunk: Chunk, config: PrivacyConfig) -> Cleaned:
    """Make of a chunk what a teacher may see."""
    if chunk.seal and chunk.seal == _seal(chunk, config):
        return Cleaned(chunk)
    before = (*map(_plain, chunk.heading), _plain(chunk.text))
    found = [find_private(text, config) for text in before]
    after = before
    if any(found):
        placeholders = Placeholders(before, config.salt)
        after = tuple(
            _redacted(text, private, placeholders, config) for text, private in zip(before, found, strict=True)
        )
    seen = chunk
    if after != (*chunk.heading, chunk.text):
        seen = replace(chunk, heading=after[:-1], text=after[-1], rows=())
    spots = [
        Spot(chunk.document, chunk.first_line if title else chunk.line_of(row), each.kind, title)
        for text, private, title in zip(before, found, (*after[:-1], ""), strict=True)
        for each, row in zip(private, _rows(text, private), strict=True)
    ]
    stopped = tuple(spot for spot in spots if config.policy(spot.kind) == "stop")
    skipped = [spot for spot in spots if config.policy(spot.kind) == "skip"]
    withheld = _private(chunk, skipped) if skipped else _instructing(chunk, seen, config)
    if not stopped and withheld is None:
        seen = replace(seen, seal=_seal(seen, config))
    return Cleaned(seen, tuple(spots), withheld, stopped)


def admitted(chunks: Iterable[Chunk], config: PrivacyConfig) -> Iterator[Chunk]:
    """Yield the chunks that may be asked about, cleaned; ``UsageError`` at the first that ends the run."""
    for chunk in chunks:
        cleaned = clean(chunk, config)
        if cleaned.stopped:
            raise stop_error(cleaned.stopped)
        if cleaned.withheld is None:
            yield cleaned.chunk


def stop_error(spots: Sequence[Spot]) -> UsageError:
    """The error that ends a run, naming where what kind stands."""
    named = ", ".join(f"{spot.document}:{spot.line} {spot.kind}" for spot in spots[:_MOST_NAMED])
    more = f" and {len(spots) - _MOST_NAMED} more" if len(spots) > _MOST_NAMED else ""
    return UsageError(f"nothing was sent: {named}{more}; take it out of the documents, allow it, or change [privacy]")


def _seal(chunk: Chunk, config: PrivacyConfig) -> str:
    data = "\0".join((config.fingerprint, *chunk.heading, chunk.text)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def _plain(text: str) -> str:
    return without_chat_tokens(without_hidden_html(visible_text(text)))


def _is_allowed(kind: str, value: str, config: PrivacyConfig) -> bool:
    return value in config.allow or (config.samples == "keep" and is_sample(kind, value))


def _merged(found: Sequence[Finding]) -> list[Finding]:
    """Findings in order; those that overlap become one, of the kind that was found first."""
    ranked = sorted(enumerate(found), key=lambda entry: (entry[1].start, entry[0]))
    rank, last = ranked[0]
    merged = list[Finding]()
    for other, each in ranked[1:]:
        if each.start >= last.end:
            merged.append(last)
            rank, last = other, each
        else:
            rank, kind = min((rank, last.kind), (other, each.kind))
            last = Finding(kind, last.start, max(last.end, each.end))
    return [*merged, last]


def _redacted(text: str, found: Sequence[Finding], placeholders: Placeholders, config: PrivacyConfig) -> str:
    """The text with placeholders, until nothing more is found: what stood beside a value may only then show."""
    for _ in range(_MOST_ROUNDS):
        if not found:
            break
        pieces, at = list[str](), 0
        for each in found:
            pieces += [text[at : each.start], placeholders.of(each.kind, as_read(text[each.start : each.end]))]
            at = each.end
        text = "".join((*pieces, text[at:]))
        found = find_private(text, config)
    return text


def _rows(text: str, found: Sequence[Finding]) -> Iterator[int]:
    """The row of each finding, from 0, in one go over the text."""
    row = at = 0
    for each in found:
        row += text.count("\n", at, each.start)
        at = each.start
        yield row


def _private(chunk: Chunk, skipped: Sequence[Spot]) -> Reject:
    named = list(dict.fromkeys(f"{spot.kind} in {spot.document}:{spot.line}" for spot in skipped))
    return Reject("privacy", "private_chunk", ", ".join(named[:_MOST_NAMED]), chunk.id)


def _instructing(chunk: Chunk, seen: Chunk, config: PrivacyConfig) -> Reject | None:
    """Why a chunk that gives the model orders is left out."""
    if config.instructions == "keep":
        return None
    text = "\n".join((*seen.heading, seen.text))
    told = instruction_in(text)
    if told is None:
        return None
    line = chunk.line_of(max(0, text.count("\n", 0, told[0]) - len(seen.heading)))
    return Reject("privacy", "instruction_like", f"{chunk.document}:{line} speaks to the model: '{told[1]}'", chunk.id)
