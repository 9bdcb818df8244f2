"""Has a model run round in circles: does a text end in the same words, over and over?

reply text ─▶ True | False
"""

# The same piece, of any length up to the longest, three times at the end, and at least so many characters of it.
_TIMES, _LEAST, _LONGEST = 3, 240, 1500


def ends_in_loop(text: str) -> bool:
    """Whether the end of a text repeats one piece without a break; a cheap test, at most 1,500 comparisons."""
    for length in range(1, min(_LONGEST, len(text) // _TIMES) + 1):
        span = max(_TIMES * length, _LEAST)
        if span <= len(text) and text[-span:-length] == text[length - span :]:
            return True
    return False
