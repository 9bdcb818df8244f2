"""Take out of Markdown the HTML elements that no reader of the page sees: ``<span style="display:none">…</span>``.

    without_hidden_html('Read <b hidden>not this</b> this.') ─▶ "Read  this."

HTML pages are rid of them when they are read. In Markdown they may span blocks, so they are looked for in the finished
chunk; what stands in code is shown to people and stays. Line breaks stay, so that lines can be counted.
"""

import re
from bisect import bisect_right

HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?:font-size|opacity)\s*:\s*0(?!\s*\.?\s*[1-9])|:\s*-\d{4,}px",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"^[ ]{0,3}(`{3,}|~{3,})[^\n]*\n(?:(?![ ]{0,3}\1)[^\n]*\n)*(?:[ ]{0,3}\1[^\n]*)?"
    r"|(`+)(?!`)[^\n]{1,400}?(?<!`)\2(?!`)",
    re.MULTILINE,
)
_TAG = re.compile(r"<(?P<name>[a-zA-Z][\w-]{0,30})(?P<attributes>\s[^<>]{0,1000})>")
_HIDDEN = re.compile(r"\shidden(?=[\s=/]|$)|\saria-hidden\s*=\s*[\"']?true", re.IGNORECASE)
_STYLE = re.compile(r"\sstyle\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_VOID = ("area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
_MOST_FAILURES = 20  # each is looked for up to the text's end


def without_hidden_html(text: str) -> str:
    """The text without hidden elements; one that is never closed hides nothing."""
    if "</" not in text or ("hidden" not in text and "style" not in text and not _may_shout(text)):
        return text
    code = [edge for found in _CODE.finditer(text) for edge in found.span()]
    pieces, at, failures = list[str](), 0, 0
    for tag in _TAG.finditer(text):
        if tag.start() < at or not _hides(tag) or bisect_right(code, tag.start()) % 2:
            continue
        end = _end_of(text, tag)
        failures += not end
        if failures > _MOST_FAILURES:
            break
        if end:
            pieces += [text[at : tag.start()], "\n" * text.count("\n", tag.start(), end)]
            at = end
    return "".join((*pieces, text[at:]))


def _may_shout(text: str) -> bool:
    return "HIDDEN" in text or "STYLE" in text or "Hidden" in text or "Style" in text


def _hides(tag: re.Match[str]) -> bool:
    if tag["name"].lower() in _VOID or tag["attributes"].endswith("/"):
        return False
    style = _STYLE.search(tag["attributes"])
    return bool(_HIDDEN.search(tag["attributes"]) or (style and HIDING_STYLE.search(style[1] or style[2] or "")))


def _end_of(text: str, opening: re.Match[str]) -> int:
    """Where the element ends, those of the same name inside it counted; 0 if it does not."""
    depth = 1
    for tag in re.compile(rf"<(/?){opening['name']}\b[^<>]*>", re.IGNORECASE).finditer(text, opening.end()):
        depth += -1 if tag[1] else 1
        if not depth:
            return tag.end()
    return 0
