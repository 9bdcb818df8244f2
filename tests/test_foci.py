"""What statements can be asked for, and how the questions begin."""

import re

import pytest

from generators.foci import foci
from generators.focus import base_form


def openings(statement, owner="", **kind):
    return [focus.opening[0] for focus in foci(statement, 3, owner, **kind)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("To turn retries off, pass the `--no-retry` option.", ["How do I turn retries off", "Which option"]),
        ("If you want to log your calls, set `LOG`.", ["How do I log my calls"]),
        ("You can change the limit using `limit`.", ["How do I change the limit"]),
        ("Mount the app at a path by setting `root`.", ["How do I mount the app at a path"]),
        ("Use the `KEY` variable to choose a project.", ["How do I choose a project", "Which variable"]),
        ("If the disk is full, the run stops.", ["What happens if the disk is full"]),
        ("AnyIO is a library.", ["What is AnyIO"]),
        ("The default timeout is five seconds.", ["What is the default timeout", "How long"]),
        ("The `mounts` dictionary maps the patterns.", ["What does the `mounts` dictionary map", "Which dictionary"]),
        ("A token expires after 45 minutes.", ["After how many minutes"]),
        ("The upload is retried 4 times.", ["How many times"]),
        ("It fails with status 409 and the error code `late`.", ["Which status", "Which error code"]),
        ("`GET /keys` lists the keys.", ["What does `GET /keys` list", "Which request"]),
        ("If you do so, this is lost.", []),
        ("Nothing stands out.", []),
    ],
)
def test_a_sentence(statement, expected):
    assert openings(statement) == expected


def test_an_entry_is_asked_for_as_its_owners():
    entry = "`limit` (query, integer, optional, default 25, maximum 200): How many rows a page holds."
    limit = "the query parameter `limit` of `GET /rows`"
    asked = [f"What is {limit}", f"What is the default of {limit}", f"What is the maximum of {limit}"]
    assert openings(entry, "`GET /rows`") == asked
    assert openings("`code` (string, required)", "the schema `Error`") == [
        "Is the field `code` of the schema `Error` required or optional"
    ]
    assert openings("`404`: No such key.", "`GET /keys`") == ["What does status `404` of `GET /keys` mean"]
    assert openings("`request` - Called late.") == []


def test_a_row_is_asked_for_by_its_name():
    assert openings("Status: 400; Code: `late`; Cause: too late", row=True) == [
        "What is the cause of the code `late`",
        "What is the status of the code `late`",
    ]
    assert openings("State: `draft`; Meaning: not paid", row=True) == ["What does the state `draft` mean"]
    assert openings("Only: one", row=True) == []


@pytest.mark.parametrize(
    ("verb", "form"),
    [("returns", "return"), ("matches", "match"), ("applies", "apply"), ("passes", "pass"), ("goes", "")],
)
def test_the_infinitive_of_a_verb(verb, form):
    assert base_form(verb) == form


def test_foci_differ():
    statement = "To end a key, send `DELETE /keys/1` with the header `If-Match` within 5 minutes."
    found = foci(statement, 9)
    assert len({focus.opening for focus in found}) == len(found) == 4
    assert all(re.match(r"[A-Z]", focus.opening[0]) for focus in found)
