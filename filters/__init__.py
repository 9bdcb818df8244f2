"""What a pair must pass before it may teach: one filter a file, named by what it drops.

    pairs + their chunks ─▶ funnel ─▶ kept pairs, and a Reject with its reason for each other

``FILTERS`` is the table, in the order of the funnel: cheap before costly, and what looks at other pairs last. Adding a
filter touches its own file, one line here and one test.
"""

FILTERS: dict[str, str] = {
    "bad_length": "filters.bad_length",
    "mojibake": "filters.mojibake",
    "repetition": "filters.repetition",
    "refusal": "filters.refusal",
    "echoed_question": "filters.echoed_question",
    "leaked_prompt": "filters.leaked_prompt",
    "redacted_answer": "filters.redacted_answer",
    "page_bound": "filters.page_bound",
    "wrong_language": "filters.wrong_language",
    "ungrounded_quote": "filters.ungrounded_quote",
    "ungrounded_value": "filters.ungrounded_value",
    "ungrounded_answer": "filters.ungrounded_answer",
    "unknown_name": "filters.unknown_name",
    "broken_code": "filters.broken_code",
    "off_answer": "filters.off_answer",
    "mismatched_form": "filters.mismatched_form",
    "exact_duplicate": "filters.exact_duplicate",
    "differing_answer": "filters.differing_answer",
    "near_duplicate": "filters.near_duplicate",
    "semantic_duplicate": "filters.semantic_duplicate",
}
"""Filter name (its reason code) → module with ``make(config: FilterConfig) -> Filter``."""

NEED_SECTION = frozenset(
    ["ungrounded_quote", "ungrounded_value", "ungrounded_answer", "unknown_name", "off_answer", "mismatched_form"],
)
"""Filters that compare a pair with the section it was made from: rows without one are not theirs to judge."""
