"""Whether a section speaks to the model that reads it instead of to people: "Ignore all previous instructions …".

    instruction_in("… Ignore all previous instructions and …") ─▶ (31, "Ignore all previous instructions")

Documentation about prompt injection holds such phrases too. There they are quoted, or told of: "attackers ask the model
to ignore previous instructions". So only a sentence counts that orders or addresses its reader itself, outside code,
quotation marks and block quotes, and not after "such as". What is missed is still data to the teacher: it is told so,
has no tools, and what it makes up has no quote to stand on.
"""

import re

_MUTED = re.compile(
    r"^[ ]{0,3}(`{3,}|~{3,})[^\n]*\n(?:(?![ ]{0,3}\1)[^\n]*\n)*(?:[ ]{0,3}\1[^\n]*)?"  # a fence
    r"|`[^`\n]{1,400}`|\"[^\"\n]{1,400}\"|“[^“”\n]{1,400}”|«[^«»\n]{1,400}»|^[ ]{0,3}>[^\n]*",
    re.MULTILINE,
)
# What stands before a phrase that begins a sentence or an order.
_START = re.compile(
    r"(?:(?:^|[.!?:;\n])[ \t]*[*_#>\-]*[ \t]*"
    r"|(?:\bplease|\bnow|\binstead|\band|\bthen|\bjust|\bmust|\bshould|\bwill|[,(—–-])[ \t]+)\Z"
)
_BEFORE = 80
_VERB = r"(?:ignore|disregard|forget|override|bypass|discard|neglect)"
_ANY = r"(?:all|any|every|the|these|those|my|our|of|other|existing|given)"
_OLD = r"(?:your|previous|prior|above|earlier|preceding|former|foregoing|system|safety|developer)"
_ORDERS = (
    r"(?:instructions?|prompts?|directions?|directives?|guidelines?|programming|training|rules|constraints|context)"
)
_SECRETS = r"(?:system|hidden|initial|secret|original|developer|internal) (?:prompts?|instructions?|messages?|rules)"
_MODEL = r"(?:ai|a\.i\.|llm|gpt|chatgpt|claude|assistant|chatbot|bot|language model|agent)"
_LOOSE = r"(?:dan|jailbroken|unrestricted|uncensored|unfiltered|evil)"
_PAIRS = (
    r"(?:question[ –-]+(?:and[ -])?answer pairs?|q&a|training data|"
    r"questions?\s+(?:and\s+answers?\s+)?(?:about|from)\s+this)"
)
_VERBS = ("ignore", "disregard", "forget", "override", "bypass", "discard", "neglect")
_MODELS = (" ai", " a.i.", "llm", "gpt", "claude", "assistant", "bot", "language model", "agent")
# A phrase is looked for where one of the marks before it stands in the text; all in small letters.
_PHRASES = tuple(
    (marks, re.compile(rf"\b{phrase}"))
    for marks, phrase in (
        (_VERBS, rf"{_VERB}\s+(?:{_ANY}\s+){{0,3}}(?:{_OLD}\s+){{1,3}}(?:{_ANY}\s+){{0,2}}{_ORDERS}\b"),
        (_VERBS, rf"{_VERB}\s+(?:all|any|every)\s+(?:of\s+)?(?:(?:the|these|those)\s+)?instructions\b"),
        (
            _VERBS,
            r"(?:ignore|disregard|forget)\s+(?:everything|anything|all)\s+"
            r"(?:(?:that\s+)?(?:was|is|you(?:'ve| have| were)?(?:\s+been)?)\s+)?(?:above|before|said|told|written)\b",
        ),
        (_VERBS, rf"(?:ignore|disregard|forget)\s+the\s+above(?=\s*(?:[.,;:!\n]|and\b|$|{_ORDERS}))"),
        (
            ("not follow", "not obey", "not comply"),
            r"do\s+not\s+(?:follow|obey|comply\s+with)\s+(?:any\s+|the\s+|your\s+|of\s+){0,3}"
            rf"(?:previous|prior|above|earlier|other|system|original)\s+{_ORDERS}\b",
        ),
        (
            ("you are",),
            rf"you\s+are\s+(?:now\s+)?(?:an?\s+)?(?:\w+\s+){{0,2}}(?:{_LOOSE}|in\s+developer\s+mode|no\s+longer\s+bound)\b",
        ),
        (("you are now",), rf"you\s+are\s+now\s+(?:an?|the|my)\s+(?:\w+\s+){{0,3}}{_MODEL}\b"),
        (
            ("you must", "you should", "you will", "you shall", "you have to", "you are"),
            rf"(?:as|being)\s+an?\s+(?:\w+\s+)?{_MODEL}(?:\s+model)?,?\s+you\s+(?:must|should|will|shall|have\s+to|are)\b",
        ),
        (
            ("from now on",),
            r"from\s+now\s+on,?\s+(?:you\s+(?:will|must|shall|should|only|always)\s+)?(?:only\s+|always\s+)?"
            r"(?:answer|respond|reply|speak|act|behave|pretend|say|output)\b",
        ),
        (
            ("prompt", "instruction", "system message", "system rules"),
            r"(?:reveal|print|repeat|show|output|leak|disclose|display|recite|tell\s+me|send)\s+(?:me\s+|us\s+)?"
            rf"(?:your|the)\s+(?:full\s+|entire\s+)?{_SECRETS}",
        ),
        (
            ("instructions:", "instruction:", "prompt:"),
            r"(?:new|updated|override|real)\s+(?:system\s+)?(?:instructions?|prompt)\s*:",
        ),
        (
            ("prompt:", "message:", "override:", "instructions:", "instruction:"),
            r"(?:system|assistant|developer)\s+(?:prompt|message|override|instructions?)\s*:\s*"
            r"(?:you|ignore|disregard|from now|do not|always|never|act)\b",
        ),
        (
            ("act as", "behave as", "respond as", "pretend as"),
            rf"(?:act|behave|respond|pretend)\s+as\s+(?:if\s+you\s+(?:are|were)\s+)?(?:an?\s+)?{_LOOSE}\b",
        ),
        (
            _MODELS,
            r"(?:(?:note|attention|message|notice|reminder|important)\s+)(?:to|for)\s+(?:the\s+|any\s+|all\s+)?"
            rf"{_MODEL}s?(?:\s+(?:model|assistant|agent)s?)?\b[^.:\n]{{0,40}}:",
        ),
        (
            _MODELS,
            rf"(?:to\s+)?(?:the\s+|any\s+|all\s+)?{_MODEL}s?(?:\s+(?:model|assistant|agent)s?)?\s+"
            r"(?:reading|processing|parsing|summari[sz]ing|that\s+reads?|who\s+reads?)\s+(?:this|these|the)\b[^.:\n]{0,40}:",
        ),
        (("dear", "hey", "hello", "attention"), rf"(?:dear|hey|hello|attention,?)\s+{_MODEL}\b"),
        (("if you are a",), rf"if\s+you\s+are\s+an?\s+(?:\w+\s+)?{_MODEL}\b"),
        (
            ("the user",),
            r"(?:do\s+not|don't|never|without)\s+(?:tell|mention|reveal|inform)(?:ing)?(?:\s+\w+){0,3}\s+the\s+user\b"
            r"[^.\n]{0,60}\b(?:instructions?|prompt|this message)\b",
        ),
        (
            ("question", "q&a", "training data"),
            rf"when\s+(?:you\s+(?:are\s+)?)?(?:generat|writ|creat|produc)(?:e|ing)\s+(?:the\s+|any\s+)?{_PAIRS}",
        ),
        (
            (
                "conversation",
                "chat history",
                "system prompt",
                "context window",
                "everything above",
                "your instructions",
            ),
            r"(?:send|post|upload|forward|exfiltrate|append|include|email)\s+(?:me\s+)?"
            r"(?:(?:the|this|your|all|any|entire|full|whole)\s+){0,4}"
            r"(?:conversation|chat\s+history|system\s+prompt|context\s+window|everything\s+above|your\s+instructions)\b",
        ),
    )
)
_BY_MARKS = {marks: [pattern for others, pattern in _PHRASES if others == marks] for marks, _ in _PHRASES}
_TOLD_OF = re.compile(
    r"(?:such as|for example|for instance|\be\.g\.|\blike|\bsay(?:s|ing)|\bstates|\breads|\bcontain(?:s|ing)|"
    r"\bphrases?|\battack\w*|\binject\w*|\bpayload\w*)\W{0,4}(?:this|these|the following)?\W{0,6}$"
)
_CONDITION = re.compile(r"\b(?:if|unless|when|once)\b[^.!?\n]*$")


def instruction_in(text: str) -> tuple[int, str] | None:
    """Find where a text orders a model about: place and phrase; ``None`` if it speaks to people only."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few capitals have no small letter of their own length
        lowered = "".join(letter.lower()[:1] for letter in text)
    one_line = lowered.replace("\n", " ")
    likely = [
        pattern
        for marks, patterns in _BY_MARKS.items()
        if any(map(one_line.__contains__, marks))
        for pattern in patterns
        if pattern.search(lowered)
    ]
    plain = _MUTED.sub(_blank, lowered) if likely else ""
    for pattern in likely:
        for found in pattern.finditer(plain):
            before = plain[max(0, found.start() - _BEFORE) : found.start()]
            if _START.search(before[-30:]) and not _is_told(before, found[0], plain[found.end() : found.end() + 12]):
                return found.start(), " ".join(text[found.start() : found.end()].split())[:120]
    return None


def _is_told(before: str, said: str, after: str) -> bool:
    """Whether the phrase is an example, or a manual's advice: "if you use Docker, ignore the above instructions"."""
    if _TOLD_OF.search(before):
        return True
    advised = _CONDITION.search(before) or re.match(r"\s+(?:if|unless|when|for)\b", after)
    return bool(advised) and not re.search(r"\b(?:all|any|every|your)\b", said)


def _blank(found: re.Match[str]) -> str:
    """As long as what it stands for, with its line breaks, so that places stay what they are."""
    return re.sub(r"[^\n]", " ", found[0])
