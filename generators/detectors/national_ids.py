"""National identity numbers of some countries, by form and checksum; those of digits alone only where they are named.

"SSN 123-45-6789" ─▶ Finding("national_id", 4, 15)
"""

import re
from collections.abc import Callable, Iterator

from generators.detectors.account_numbers import has_luhn, has_many_digits
from generators.finding import Finding

_CONTEXT = 40


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _spanish(value: str) -> bool:
    number = int(value[:-1].translate(str.maketrans("XYZ", "012")))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == value[-1]


def _italian(value: str) -> bool:
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
    places = [int(each, 36) if each.isdigit() else ord(each) - 65 for each in value[:15]]
    total = sum(odd[place] if index % 2 == 0 else place for index, place in enumerate(places))
    return chr(65 + total % 26) == value[15]


def _french(value: str) -> bool:
    number = int(value[:13].replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97 == int(value[13:])


def _finnish(value: str) -> bool:
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(value[:6] + value[7:10]) % 31] == value[10]


def _swiss(value: str) -> bool:
    return (10 - _weighted(value, (1, 3) * 6) % 10) % 10 == int(value[12])


def _german(value: str) -> bool:
    product = 10
    for digit in value[:10]:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(value[10])


def _dutch(value: str) -> bool:
    return int(value) > 0 and _weighted(value, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def _polish(value: str) -> bool:
    return (10 - _weighted(value, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == int(value[10])


def _belgian(value: str) -> bool:
    return any(97 - int(century + value[:9]) % 97 == int(value[9:]) for century in ("", "2"))


def _swedish(value: str) -> bool:
    return has_luhn(value[-10:])


def _portuguese(value: str) -> bool:
    check = 11 - _weighted(value, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if check > 9 else check) == int(value[8])


def _british_health(value: str) -> bool:
    return (11 - _weighted(value, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11) % 11 == int(value[9])


def _danish(value: str) -> bool:
    return 1 <= int(value[:2]) <= 31 and 1 <= int(value[2:4]) <= 12


def _british(value: str) -> bool:
    return value[:2] not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")


def _american(value: str) -> bool:
    return value[:3] not in ("000", "666") and value[0] != "9" and value.replace("-", "")[3:5] != "00"


_Check = Callable[[str], bool]
# Forms that are unlike any other number: with letters, and with many digits.
_LETTERED: tuple[tuple[re.Pattern[str], _Check], ...] = (
    (
        re.compile(r"[A-CEGHJ-PR-TW-Z](?<![\w-].)[A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D](?![\w-])"),
        _british,
    ),
    (re.compile(r"[A-Z](?<!\w.)[A-Z]{5}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z](?!\w)"), _italian),
    (re.compile(r"[0-3](?<![\w.-].)\d[01]\d\d\d[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y](?![\w-])"), _finnish),
    (re.compile(r"[\dXYZ](?<![\w.-].)-?\d{7}-?[A-HJ-NP-TV-Z](?![\w-])"), _spanish),
)
_PLAIN: tuple[tuple[re.Pattern[str], _Check], ...] = (
    (re.compile(r"[0-8](?<![\w.-].)\d\d-(?!00)\d\d-(?!0000)\d{4}(?![\w-])"), _american),
    (re.compile(r"[12](?<![\w.-].) ?\d\d ?[0-4]\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?![\w-])"), _french),
    (re.compile(r"7(?<![\w.-].)56\.?\d{4}\.?\d{4}\.?\d\d(?![\w-])"), _swiss),
)  # fmt: skip
# Mere digits (by how many): numbers of these countries where their name, or that of an identity, stands before.
_NAMED: tuple[tuple[int, re.Pattern[str], _Check], ...] = tuple(
    (length, re.compile(rf"{names}\W{{0,6}}(?:(?:no|nr|number|is)\W{{1,4}}){{0,2}}$", re.IGNORECASE), check)
    for length, names, check in (
        (9, r"\b(?:ssn|social security)", _american),
        (11, r"\b(?:steuer-?id\w*|idnr|steuerliche identifikationsnummer|tax id)", _german),
        (9, r"\b(?:bsn|burgerservicenummer|sofinummer)", _dutch),
        (11, r"\bpesel", _polish),
        (11, r"\b(?:rijksregisternummer|num[eé]ro national|insz|niss|national)", _belgian),
        (10, r"\b(?:personnummer|samordningsnummer|personal identity)", _swedish),
        (12, r"\b(?:personnummer|samordningsnummer|personal identity)", _swedish),
        (10, r"\b(?:cpr|cpr-nummer)", _danish),
        (9, r"\bnif", _portuguese),
        (10, r"\bnhs", _british_health),
    )
)
_FOUR_DIGITS = re.compile(r"\d\d[A-Z ]?\d\d")  # any lettered form holds them
_DIGITS = re.compile(r"(?<![\w.])\d(?:[ .+-]?\d){8,11}(?![\w])")


def find_national_ids(text: str) -> Iterator[Finding]:
    """Find national identity numbers."""
    if _FOUR_DIGITS.search(text):
        yield from _of_forms(text, _LETTERED)
    if not has_many_digits(text):
        return
    yield from _of_forms(text, _PLAIN)
    for found in _DIGITS.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        before = text[max(0, found.start() - _CONTEXT) : found.start()]
        if any(len(digits) == length and names.search(before) and check(digits) for length, names, check in _NAMED):
            yield Finding("national_id", *found.span())


def _of_forms(text: str, forms: tuple[tuple[re.Pattern[str], _Check], ...]) -> Iterator[Finding]:
    for pattern, check in forms:
        for found in pattern.finditer(text):
            if check(re.sub(r"[ .]|(?<=[A-Z])-|-(?=[A-Z])", "", found[0])):
                yield Finding("national_id", *found.span())
