"""``wrong_language``: a question or an answer in another language than its section, where both can be told.

Told by script (Latin, Cyrillic, Han, …) and, among Latin scripts, by the commonest words of the languages below; text
that is too short or mostly names is not judged. A language detector would be larger than the rest of the product, and
slower than all other filters together.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from filters.apply import Candidate, Drop, Filter, FilterConfig

# The commonest words of each language that are not common in another of them.
_COMMON = {
    "English": "the and of to is that for with are this not be which how what when does do by from an",
    "German": "der die das und ist nicht ein eine mit für auf wird werden sie zu den dem von wie kann sind",
    "French": "le les des est une pour dans que qui sur pas avec vous du au sont cette ce peut être",
    "Spanish": "el los las es una para que en por con se del como son esta puede cuál qué este al",
    "Italian": "il gli è di una per che non con del della sono come questo nel alla può viene quale dei",
    "Portuguese": "os as é uma para que não com do da em são como se você pode qual este esta ao",
    "Dutch": "de het een is van niet met voor op zijn wordt dat te en kan worden deze hoe welke naar",
    "Polish": "się nie jest na że do jak dla przez są lub może oraz być które tego jako po od ten",
}
_SPOKEN_IN = {
    word: [name for name, common in _COMMON.items() if word in common.split()]
    for word in " ".join(_COMMON.values()).split()
}
_CODE = re.compile(r"```.*?```|`[^`]*`|https?://\S+", re.DOTALL)
_LETTERS = re.compile(r"[^\W\d_]+")
_FEWEST_WORDS, _FEWEST_COMMON, _AHEAD = 5, 3, 1.5


@dataclass(frozen=True, slots=True)
class WrongLanguage:
    """Compares the language of question and answer with that of the section."""

    name: str = "wrong_language"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop what is surely in another language."""
        expected = language(candidate.chunk.text[:4000])
        if not expected:
            return None
        for what, text in (("question", candidate.pair.question), ("answer", candidate.pair.answer)):
            found = language(text)
            if found and found != expected:
                return Drop(f"the {what} is in {found}, its section in {expected}")
        return None


@lru_cache(maxsize=4096)
def language(text: str) -> str:
    """Name the language, or the script where it is not Latin; empty if it cannot be told."""
    found = [word.lower() for word in _LETTERS.findall(_CODE.sub(" ", text))]
    script = _script("".join(found))
    if script and script != "LATIN":
        return script.capitalize()
    if len(found) < _FEWEST_WORDS:
        return ""
    common = filter(_SPOKEN_IN.__contains__, found)
    hits = Counter(chain.from_iterable(map(_SPOKEN_IN.__getitem__, common)))
    best = max(hits, key=hits.__getitem__, default="")
    most, second = hits[best], max((count for name, count in hits.items() if name != best), default=0)
    return best if most >= _FEWEST_COMMON and most >= _AHEAD * second else ""


def _script(letters: str) -> str:
    """The script of most letters, if it is that of nearly all; ``""`` if there are few."""
    sample = letters[:400]
    if len(sample) < 2:
        return ""
    if sample.isascii():
        return "LATIN"
    scripts = Counter(unicodedata.name(letter, "?").split()[0] for letter in sample)
    # Japanese mixes three scripts, and is none of the others.
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0.1 * len(sample):
        return "JAPANESE"
    script, count = scripts.most_common(1)[0]
    return {"CJK": "CHINESE", "HANGUL": "KOREAN"}.get(script, script) if count > 0.6 * len(sample) else ""


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return WrongLanguage()
