"""Take out of a text what a person does not see and a model or a terminal reads: how hidden instructions come in.

    visible_text("Ig\u200bnore\U000e0041") ─▶ "Ignore"

Zero-width characters, directions, tags, fillers, variation selectors that carry bytes, control characters. What a
script or an emoji needs stays: joiners between letters of Arabic and Indic scripts, joiners and one selector in emoji.
"""

import json
import re

# Between these letters a (non-)joiner changes what is read.
_JOINING = "\u0600-\u07bf\u0840-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc"
# Symbols and emoji, what follows them, and the keys of keypads.
_EMOJI = "\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff\ufe0f"
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
    f"|(?<![{_JOINING}])\u200c|\u200c(?![{_JOINING}])"
    f"|(?<![{_JOINING}{_EMOJI}])\u200d|\u200d(?![{_JOINING}{_EMOJI}])"
    f"|(?<![{_EMOJI}0-9#*\u3400-\u9fff])[\ufe00-\ufe0f]|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]"
)
# What a terminal may act on or not show, but for line breaks and tabs; for whoever prints text from outside.
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def visible_text(text: str) -> str:
    """The text without what cannot be seen; line breaks stay."""
    if text.isascii():
        return _CONTROL.sub("", text)
    while (seen := _INVISIBLE.sub("", text)) != text:  # what is taken out may have stood between two others
        text = seen
    return text


def printable_json(text: str) -> str:
    """JSON with escapes for what a terminal might act on; whoever reads it as JSON reads the same."""
    if text.isascii() and text.isprintable():
        return text
    return UNPRINTABLE.sub(lambda found: json.dumps(found[0])[1:-1], text)
