"""Payment cards and bank accounts, told from other numbers by issuer, length and checksum.

"4242 4242 4242 4242" ─▶ Finding("card", 0, 19);  "DE89 3704 0044 0532 0130 00" ─▶ Finding("iban", 0, 27)
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from generators.finding import Finding

# Issuers by their first digits, and the lengths of their numbers.
_ISSUERS = (
    (re.compile(r"4"), (16, 13, 19)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"6011|64[4-9]|65|62"), (16, 17, 18, 19)),
    (re.compile(r"3(?:0[0-5]|[689])"), (14,)),
    (re.compile(r"35(?:2[89]|[3-8])"), (16,)),
    (re.compile(r"50|5[6-9]|6"), (16, 18, 19)),
)
_MANY_DIGITS = re.compile(r"\d(?:[ .()/+-]{0,2}\d){6}")
# What follows the first digits is looked at and not consumed: the number may begin with the next group.
_CARD = re.compile(r"[2-6](?<![\w.+].)\d{3}(?=((?:[ -]?\d){9,15}))")
# Found by the two digits behind the country: there are fewer digits than letters.
_IBAN = re.compile(r"\d(?<=[A-Za-z][A-Za-z].)(?<![A-Za-z0-9]...)\d(?=((?:[ \u00a0-]?[A-Za-z0-9]){11,30}))")
_IBAN_LENGTHS = {
    length: countries.split()
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK MN",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ DZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR IR",
        27: "BI DJ FR GR IT MC MR SM CM MG CF TD",
        28: "AL AZ BY CY DO GT HU LB NI PL SV SN CI ML BJ",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        33: "RU",
    }.items()
}
_LENGTH_OF = {country: length for length, countries in _IBAN_LENGTHS.items() for country in countries}


def find_account_numbers(text: str) -> Iterator[Finding]:
    """Find card numbers and IBANs."""
    if not has_many_digits(text):
        return
    for found in _CARD.finditer(text):
        stop = _card_end(text, found.start(), found[0] + found[1])
        if stop:
            yield Finding("card", found.start(), stop)
    for found in _IBAN.finditer(text):
        start = found.start() - 2
        stop = _iban_end(text, start, text[start : found.end(1)])
        if stop:
            yield Finding("iban", start, stop)


@lru_cache(maxsize=16)  # three detectors ask for the same text
def has_many_digits(text: str) -> bool:
    """Whether seven digits stand close together: without them there is no number of an account or a phone."""
    return bool(_MANY_DIGITS.search(text))


def has_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (Luhn)."""
    doubled = (2 * int(digit) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(number - 9 if number > 9 else number for number in doubled)) % 10 == 0


def _card_end(text: str, start: int, found: str) -> int:
    """Where the card number ends; 0 if it is none."""
    places = [place for place, character in enumerate(found) if character.isdigit()]
    digits = "".join(found[place] for place in places)
    for prefix, lengths in _ISSUERS:
        if prefix.match(digits):
            for length in lengths:
                stop = start + places[length - 1] + 1 if length <= len(digits) else 0
                if stop and _ends(text, stop) and has_luhn(digits[:length]) and len(set(digits[:length])) > 1:
                    return stop
    return 0


def _iban_end(text: str, start: int, found: str) -> int:
    """Where the IBAN ends; 0 if it is none."""
    places = [place for place, character in enumerate(found) if character.isalnum()]
    length = _LENGTH_OF.get(found[:2].upper(), 0)
    if not length or length > len(places):
        return 0
    stop = start + places[length - 1] + 1
    letters = "".join(found[place] for place in places[:length])
    if not letters.isupper() and sum(map(str.isdigit, letters)) * 3 < 2 * length:
        return 0  # small letters and few digits: an identifier that happens to add up
    number = int("".join(str(int(letter, 36)) for letter in letters[4:] + letters[:4]))
    return stop if number % 97 == 1 and not text[stop : stop + 1].isalnum() else 0


def _ends(text: str, stop: int) -> bool:
    following = text[stop : stop + 1]
    return not (following.isalnum() or following == "_")
