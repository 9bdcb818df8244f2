"""Whether a text that stands where a secret might stand is one: generated, chosen as a password, or a stand-in.

is_random("9f8e7d6c5b4a3f2e") ─▶ True;  is_random("page_token") ─▶ False
is_filler("xxxxxxxxxxxx") ─▶ True;  is_stand_in("YOUR_API_KEY") ─▶ True
"""

import re

# Words that documentation writes where a reader is to put something of his own.
_STAND_IN = re.compile(
    r"pass(?:word|wd|phrase|code)?|pwd|secret|token|bearer|basic|key|api|auth|access|client|credentials?|private|"
    r"change(?:me|it|this)?|replace|insert|enter|placeholder|example|sample|test|demo|dummy|fake|mock|redacted|hidden|"
    r"your|my|our|the|some|other|new|old|here|this|value|string|text|type|name|user(?:name)?|admin|root|guest|account|"
    r"none|null|true|false|nil|undefined|required|optional|default|foo|bar|baz|qux|hello|world|abc(?:def)?|xyz|"
    r"live|prod|dev|local|server|app|service|x{3,}|0{4,}|123(?:4(?:5(?:6(?:7(?:8(?:90?)?)?)?)?)?)?",
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"^<.*>$|<\w+>|\{[^{}]*\}|\$\{|\$\(|^\$\w+$|\$[A-Z_]{3,}|^%\w+%$|%\(\w+\)|\.\.\.|…|^[*•.#-]+$|^__\w+__$|\[[A-Z_]+_[0-9a-f]+\]"
)
_FILLING = re.compile(r"your|xxxx|\.\.\.|placeholder|redacted|changeme|replace_?me|insert_?", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z_][A-Za-z_.]*\Z|[A-Za-z_][\w.]*[(\[]")
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\d(?:$|[T ]\d)")
_PART = re.compile(r"[^\W_]+")
_WORD = re.compile(r"(?:[A-Za-z]{3,}+\d{0,2}+){1,4}|[A-Za-z]{1,4}\d{0,4}|\d+")
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
# What stands after "password:" and is no password though it has digits: algorithms, formats, measures, class names.
_TERM = re.compile(
    r"(?:^|[^A-Za-z0-9])(?:sha|md|base|utf|oauth|argon|bcrypt|pbkdf|scrypt|crypt|http|rfc|x\.?|pkcs|aes|rsa|ed|des|tls|ssl|"
    r"iso|latin|u?int|float|n?(?:var)?char|str(?:ing)?|ascii|ntlmv?|cp|saml|ipv|v|ver(?:sion)?|step|level|section|chapter|"
    r"figure|table|page|line|part|option|case|python|java|php|level|win(?:dows)?)[-_.]?\d+(?:id|[id])?(?-i:(?![a-z0-9]))",
    re.IGNORECASE,
)
_MEASURE = re.compile(
    r"\d[\d.,]*(?:[-\u2013/x]\d+)?[-_]?(?:char(?:acter)?s?|bytes?|bits?|days?|hours?|h|min(?:ute)?s?|sec(?:ond)?s?|m?s|months?|"
    r"years?|digits?|letters?|symbols?|times?|words?|kb|mb|th|st|nd|rd|step|factor|way|in)?(?:[-/][a-z]+)*$",
    re.IGNORECASE,
)
_CLASS_NAME = re.compile(r"(?:[A-Z][a-z]+\d{0,3}){2,20}(?<=[a-z])$")
_MEMBER = re.compile(r"[a-z_]\w*(?:\.[a-z_]\w*)+$")  # self.password2
_NO_CHOICE = (_MEASURE, _CLASS_NAME, _MEMBER)
_SYMBOL_INSIDE = re.compile(r"[A-Za-z0-9][!@#$%^&*+=?]+[A-Za-z0-9]")
_LONG = 20  # characters from which on even a text that looks counted up stands for a secret of its own


def is_filler(body: str) -> bool:
    """Whether the body of a key is a stand-in: one character again and again, or words to the reader."""
    return len(set(body.lower())) <= 3 or bool(_FILLING.search(body))


def is_stand_in(value: str, least: int = 4) -> bool:
    """Whether a value is a placeholder: marked as one, or not ``least`` characters but for words such as "your"."""
    if _MARKED.search(value) or len(set(value)) <= 2:
        return True
    if len(value) >= _LONG and is_random(value):
        return False
    return len(re.sub(r"[\W_]", "", _STAND_IN.sub("", value))) < least


def is_random(value: str) -> bool:
    """Whether a value looks generated: what it is made of is neither words nor dates, versions or numbers."""
    if len(value) < 8 or len(set(value)) < 5 or _MOMENT.match(value):
        return False
    parts = _PART.findall(value)
    odd = sum(len(part) for part in parts if not _is_word(part))
    numbered = sum(not part.isalpha() and not part.isdigit() for part in parts)  # as in XK81-QQ93-LM27
    return odd >= 8 or 2 * odd > len(value) or numbered >= 3


def is_password(value: str) -> bool:
    """Whether a value could be a password that somebody chose: not a plain word, not code, not a path."""
    if len(value) < 6 or is_stand_in(value) or value[:1] in "/~" or value.startswith(("./", "http")):
        return False
    mixed = any(map(str.islower, value)) and any(map(str.isupper, value[1:]))
    return mixed or len(value) >= 12 or any(not character.isalpha() for character in value)


def is_chosen(value: str) -> bool:
    """Whether a value that stands in a sentence is a password, as no word, term, measure or name is."""
    if not is_password(value) or _TERM.search(value) or any(form.match(value) for form in _NO_CHOICE):
        return False
    if is_random(value):
        return True
    digits, letters = any(map(str.isdigit, value)), any(map(str.isalpha, value))
    cased = any(map(str.islower, value)) and any(map(str.isupper, value))
    return letters and (digits or (cased and bool(_SYMBOL_INSIDE.search(value))))


def is_mixed(value: str) -> bool:
    """Whether a value has small letters, capitals and digits."""
    return all(any(map(test, value)) for test in (str.islower, str.isupper, str.isdigit))


def is_ticket(value: str) -> bool:
    """Whether what follows ``Bearer`` is a token: random, or with small letters, capitals and digits."""
    if len(value) < 10 or is_stand_in(value):
        return False
    return is_random(value) or is_mixed(value)


def is_code(value: str) -> bool:
    """Whether a value that stands without quotes may be code: a name, ``self.password``, or a call."""
    return bool(_CODE.match(value))


def _is_word(part: str) -> bool:
    """Whether letters and digits make a word, a camel-case name, or a short number."""
    if not _WORD.fullmatch(part):
        return False
    letters = part.strip("0123456789")
    if len(letters) < 12:
        return True
    pieces = _CAMEL.findall(letters)
    return len(pieces) * 4 <= len(letters) + 4 and len(_VOWEL.findall(letters)) * 5 >= len(letters)
