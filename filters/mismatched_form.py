"""``mismatched_form``: a question whose form its answer does not fit ("What is X?", of a sentence on what X does).

For teachers that only write the question to a given answer (small ones, bound by schema). The answer is a sentence, an
entry or a row of the documents, so its form tells which questions it can answer: "What is X?" needs "X is …", "Which
package …?" needs a name beside the word package. Off (``answer_overlap = 0``) for teachers that phrase freely.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.records import Chunk
from generators.words import content_words

_TOKEN = re.compile(r"`[^`]+`|[\w'./@{}-]*\w[\w'/)}-]*|[:(;,–—=]")
_ENTRY = re.compile(r"^`[^`\n]{1,80}` ?(?:\(|[:,–—]|- )")
_ROW = re.compile(r"^[^:;`]{1,40}: .*; [^:;`]{1,40}: ")
_BEING = {"is", "are", "means", "was", "were", ":", "(", "–", "—", "="}
_ARTICLES = {"the", "a", "an"}
_POINTING = re.compile(
    r"\b(?:it|its|they|them|this|these|those|that (?:case|way)|the (?:two|same|latter|former))\b", re.IGNORECASE
)
_DENIAL = re.compile(
    r"\b(?:not|never|no|cannot|can't|don't|doesn't|isn't|aren't|won't|without|unlike|nor)\b", re.IGNORECASE
)
_MEANS = re.compile(
    r"\b(?:using|by|with|via|through|use|uses|set|pass|call|create|add|run|install|send|include|specify|must|need|needs|"
    r"have to|has to|should|return|set to|enable|define|provide|configure|import|click|choose|select|open|start|wrap|"
    r"instantiate|implement|override|subclass|register|write|put|take|takes)\b",
    re.IGNORECASE,
)
_ASPECT = re.compile(r"What is the (value|type|format|unit|length|maximum|minimum|default) (?:value )?(?:of|for)\b")
_NAMES_IT = re.compile(r"^(?:\w+ )?[Ww]hich (?:(?!(?:of|in|for|to|on|with|does|is|are|do|can)\b)\w+ ){1,3}`")
# "Which attribute does the library expose?" has as many answers as the library has attributes.
_ONE_OF_MANY = re.compile(
    r"^Which \w+ (?:does|do|can|is|are) .{1,80} (?:expose|have|provide|offer|include|contain|use|support|accept|return)"
    r"(?:d|s|ed)?\?$"
)
# "When using a client, …" is an occasion, of which much can be said; so is any "when …ing" with what one may do then.
_OCCASION = re.compile(r"^(?:using|with|working with) (?:the |an? )?[\w`.()]+(?: [\w`.()]+)?$")
_DOING = re.compile(r"^\w+ing\b")
_PERMITS = re.compile(r"\b(?:can|may|might|could)\b")
_PERHAPS = re.compile(r"\byou (?:might|may) (?:want|wish|like|need)\b", re.IGNORECASE)
_NUMBER = r"(?:\d[\d.,]*|two|three|four|five|six|seven|eight|nine|ten|twelve|once|twice)"
_LEAST_SHARED, _LEAST_RECALL, _LEAST_TOLD = 3, 0.4, 2


@dataclass(frozen=True, slots=True)
class MismatchedForm:
    """Reads the question's form and looks for its counterpart in the answer."""

    config: FilterConfig
    name: str = "mismatched_form"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop a question that is put otherwise than its answer can answer."""
        if not self.config.answer_overlap:
            return None
        question, answer = candidate.pair.question, candidate.pair.answer
        without_names = re.sub(r"`[^`]*`", "`x`", question)
        if _POINTING.search(without_names):
            return Drop("the question points at something outside itself")
        if _ENTRY.match(answer) or _ROW.match(answer):
            return _of_another(question, candidate.chunk) or _of_entry(question, answer)
        for form, judged in _FORMS:
            found = form.match(question)
            if found:
                return judged(found, answer)
        return _in_general(question, answer)


def _of_another(question: str, chunk: Chunk) -> Drop | None:
    """A parameter or field is its operation's or schema's; a question that does not name that one asks for any."""
    if chunk.kind == "section" or not chunk.heading:
        return None
    name = chunk.heading[-1].partition(": ")[0].removeprefix("Schema ")
    return None if name in question else Drop(f"does not say that it asks about {name}")


def _of_entry(question: str, answer: str) -> Drop | None:
    """An entry or a row answers what is asked of its name."""
    if answer.startswith("`."):
        return Drop("asks for a member without its class")
    if question.startswith(("What is", "What does", "What are", "Is ")) or re.match(
        r"Which values can|How long may", question
    ):
        key = re.search(r"(?:^|: )(`[^`]+`)", answer) or re.search(r": ([^;]+)", answer)
        aspect = re.match(
            r"What is the (value|type|format|unit|length|maximum|minimum|default) (?:value )?(?:of|for)\b", question
        )
        if aspect and aspect[1][:5] not in answer.lower():
            return Drop(f"asks for the {aspect[1]}, which the answer does not name")
        if key and key[1].strip("`").lower() not in question.lower():
            return Drop(f"asks for something else than {key[1]}")
        return None
    return _in_general(question, answer)


def _tokens(text: str) -> list[str]:
    return [token.strip("`").lower() for token in _TOKEN.findall(text)]


def _definition(found: re.Match[str], answer: str) -> Drop | None:
    """Judge "What is X?": the answer says "X is …", or "… is X"."""
    asked, told, verb = _tokens(found["what"]), _tokens(answer), found["verb"]
    asked = asked[1:] if asked[:1] and asked[0] in _ARTICLES else asked
    for at in range(len(told) - len(asked) + 1):
        if told[at : at + len(asked)] == asked:
            behind = told[at + len(asked) : at + len(asked) + 1]
            before = [token for token in told[:at] if token not in _ARTICLES][-2:]
            being = set(behind) & (_BEING - ({"is", "are"} - {verb}))
            if behind == [":"] and len(told) - at - len(asked) - 1 < _LEAST_TOLD:
                return Drop("the answer says next to nothing")
            if being or (before[-1:] == [verb] and "there" not in before):
                return None
    return Drop(f"asks what {found['what']} is, and the answer does not say it")


def _purpose(found: re.Match[str], answer: str) -> Drop | None:
    """Judge "What is the purpose of X?": the answer is about X from its first words on, or says what kind of thing."""
    thing = content_words(found["what"])
    first = content_words(" ".join(answer.split()[: len(found["what"].split()) + 2]))
    if thing <= first or re.match(r"An? \w", answer):
        return None
    return Drop(f"asks for the purpose of {found['what']}, and the answer does not begin with it")


def _instruction(found: re.Match[str], answer: str) -> Drop | None:
    """Judge "How do I …?": beyond what is asked, the answer names a means."""
    asked = set(_tokens(found["what"]))
    rest = " ".join(token for token in _tokens(answer) if token not in asked)
    if not _MEANS.search(rest) or _PERHAPS.search(answer) or not content_words(rest):
        return Drop("asks how, and the answer names no means")
    return None if content_words(found["what"]) <= content_words(answer) else _in_general(found[0], answer)


def _manner(found: re.Match[str], answer: str) -> Drop | None:
    if not re.search(r"\b(?:by|using|via|through|with)\b", answer):
        return Drop("asks how, and the answer names no means")
    return _in_general(found[0], answer)


def _outcome(found: re.Match[str], answer: str) -> Drop | None:
    """Judge "What happens if …?": the answer holds the condition, and it is one that means something by itself."""
    condition = content_words(found["what"])
    if len(condition) < _LEAST_SHARED and "`" not in found["what"]:
        return Drop("the condition is too vague to be asked for")
    if _OCCASION.match(found["what"]) or (_DOING.match(found["what"]) and _PERMITS.search(answer)):
        return Drop("asks what happens on an occasion, and the answer is one thing of many to be said of it")
    return None if condition <= content_words(answer) else Drop("asks for a condition that is not the answer's")


def _deed(found: re.Match[str], answer: str) -> Drop | None:
    """Judge "What does X return?": the answer says "X returns …"."""
    asked, told = _tokens(found["what"]), _tokens(answer)
    asked = [token for token in asked if token not in _ARTICLES]
    told = [token for token in told if token not in _ARTICLES]
    stems, wanted = [_verb_stem(token) for token in told], [_verb_stem(token) for token in asked]
    ends = [at + len(wanted) for at in range(len(stems)) if stems[at : at + len(wanted)] == wanted]
    # "HTTP/2 support is available": the word is no verb there.
    if all(told[end : end + 1] in (["is"], ["are"], ["was"], ["were"]) for end in ends):
        return Drop("asks what something does that the answer says otherwise")
    return None


def _verb_stem(token: str) -> str:
    return token[:4].removesuffix("s")


def _choice(found: re.Match[str], answer: str) -> Drop | None:
    """Judge "Which package …?": the answer holds a name beside that word which the question does not hold."""
    question, noun = found[0], found["noun"].lower()
    if _NAMES_IT.match(question):
        return Drop("the question names what it asks for")
    if _ONE_OF_MANY.match(question):
        return Drop("asks for one of many, and does not say which")
    longer = f"{noun} {found['more'] or ''}".strip().lower()
    noun = longer if longer in answer.lower() else noun
    if noun.startswith("status") and re.search(r"\b[1-5]\d\d\b", answer):
        return _in_general(question, answer) if not re.search(r"\b[1-5]\d\d\b", question) else Drop("holds its answer")
    if noun.startswith("request"):
        names = re.findall(r"`(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) [^`]+`", answer)
    elif noun.startswith(("method", "function")) and (calls := re.findall(r"`[\w.]+\([^`]*\)`", answer)):
        names = calls
    elif noun.startswith("exception"):
        names = re.findall(r"`[\w.]+`|\b[A-Z]\w+(?:Error|Exception)\b", answer)
    else:
        word = rf"(?:\w+[^\Ws] )?{re.escape(noun.removesuffix('s'))}(?:s|es)?\b"
        after = re.findall(rf"(`[^`]+`|(?-i:\b[A-Z]\w+)) {word}", answer, re.IGNORECASE)
        before = re.findall(rf"\b{word} (?:is |are |named |called |of )?(`[^`]+`)", answer, re.IGNORECASE)
        names = [*after, *before]
    if not names or any(_holds(question, name.strip("`")) for name in names):
        return Drop(f"asks which {noun}, and the answer names none, or none but what the question holds")
    return _in_general(question, answer)


def _holds(question: str, name: str) -> bool:
    """Whether a question holds a name as a whole: `auth` is none of "authentication"."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", question) is not None


def _count(found: re.Match[str], answer: str) -> Drop | None:
    """Judge "How many pages …?": the answer counts them."""
    unit = found["unit"]
    stem = re.escape(unit.split()[-1].rstrip("s")[:6])
    if not re.search(rf"\b{_NUMBER}(?:[ -][\w-]+){{0,2}}?[ -]{stem}", answer, re.IGNORECASE):
        return Drop(f"asks for a number of {unit}, and the answer gives none")
    if re.search(r"\d", without_code := re.sub(r"`[^`]*`", "", found[0])) and _shared_number(without_code, answer):
        return Drop("the question holds the number that it asks for")
    return None if len(content_words(found[0]) & content_words(answer)) > 1 else _in_general(found[0], answer)


def _denies(text: str) -> bool:
    return bool(_DENIAL.search(re.sub(r"`[^`]*`", "`x`", text)))


def _shared_number(question: str, answer: str) -> bool:
    numbers = re.findall(r"\d[\d.,]*", question)
    return any(re.search(rf"(?<![\d.,]){re.escape(number.rstrip('.,'))}(?![\d])", answer) for number in numbers)


def _in_general(question: str, answer: str) -> Drop | None:
    """The question says enough of what the answer says for it to be this answer's."""
    if _denies(question) != _denies(answer):
        return Drop("one of question and answer denies, the other does not")
    asked, told = content_words(question), content_words(answer)
    shared = len(asked & told)
    if shared < _LEAST_SHARED and shared < _LEAST_RECALL * len(told):
        return Drop(
            f"says too little of what its answer says ({shared} words)", similarity=round(shared / max(1, len(told)), 4)
        )
    return None


_Judge = Callable[[re.Match[str], str], Drop | None]
_FORMS: tuple[tuple[re.Pattern[str], _Judge], ...] = tuple(
    (re.compile(pattern), judged)
    for pattern, judged in (
        (r"What happens (?:if|when|whenever|once|unless|after|before) (?P<what>.+)\?", _outcome),
        (r"What is the purpose of (?:the |an? )?(?P<what>.+)\?", _purpose),
        (r"What (?P<verb>is|are) (?P<what>.+)\?", _definition),
        (r"How (?:(?:do|can|should) (?:I|you|we)|to) (?P<what>.+)\?", _instruction),
        (r"How (?:does|is|are|do|can) .+\?", _manner),
        (r"What does (?P<what>.+)\?", _deed),
        (
            r"(?:(?:With|In|On|By|To|From|For|Under|At) )?[Ww]hich "
            r"(?P<noun>(?:environment variable|error code|query parameter|path parameter|[\w-]+))\b"
            r"(?: (?P<more>[a-z]+))?.*\?",
            _choice,
        ),
        (r"(?:\w+ ){0,2}[Hh]ow many (?P<unit>[\w-]+).*\?", _count),
    )
)


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return MismatchedForm(config)
