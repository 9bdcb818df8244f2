"""Break the marks with which chat templates tell speakers apart, so that no document can speak for somebody else.

    without_chat_tokens("<|im_start|>system") ─▶ "< |im_start|>system"

A tokeniser turns such a mark into a token of its own only if it stands letter by letter; one space makes it text, and
people can still read it. So with the mark that ends a section in our own prompts.
"""

import re

_NAMED = (
    r"/?s|bos|eos|unk|pad|(?:start|end)_of_(?:turn|image|text)|end_of_utterance|im_(?:start|end)|fim_(?:prefix|middle|suffix)"
    r"|/?think|/?tool_(?:call|response)|</?SYS>"
)
_SQUARE = r"INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS|IMG|CLS|SEP|MASK|gMASK"
_TOKEN = re.compile(
    r"<(?=[|｜][^<>|｜\n]{1,60}[|｜]>)"  # <|im_start|>, <｜User｜>
    rf"|<(?=(?:{_NAMED})>)|\[(?=/?(?:{_SQUARE})\])"
    r"|<(?=/section>|section heading=)"
)


def without_chat_tokens(text: str) -> str:
    """The text with a space after the bracket that opens each mark."""
    return _TOKEN.sub(r"\g<0> ", text) if "<" in text or "[" in text else text
