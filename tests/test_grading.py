"""Grading by rules: a table that a person labelled, and properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.abstaining import abstains
from trainers.asked import asked_for, numbers_of, states
from trainers.grading import Key, grade, token_f1
from trainers.labels import cohens_kappa, label_scores, labels_among, macro_f1, said_label

CURSOR = (
    "Which status code does a request with an older cursor fail with?",
    "A request with an older cursor fails with status 400 and the error code `cursor_expired`; start again from the "
    "first page.",
)
CURSOR_ERROR = ("Which error code does a request with an older cursor fail with?", CURSOR[1])
RETRIES = ("How many times does the `push` command retry?", "The `push` command retries a failed upload 4 times.")
OPTION = ("Which option turns upload retries off?", "To turn retries off, pass the `--no-retry` option.")
DEFAULT = ("What is the default of `timeout`?", "The default `timeout` is 5.0 seconds.")
AUTH = (
    "How do I provide Basic authentication credentials?",
    "Pass a 2-tuple of plaintext `str` or `bytes` objects as the `auth` argument.",
)
PROXY = (
    "What does the proxy do for the client?",
    "The proxy transfers data to the server on behalf of the client.",
)
DELETE = ("What happens to labels of a deleted shipment?", "Its labels are not refunded and stay in the archive.")
YES = ("Does the API support HTTP/2?", "Yes, if the `http2` extra is installed.")
SIZE = ("How large may an upload be?", "An upload may have at most 1,000 MB.")
CODE = (
    "How do I open a client?",
    "```python\nwith httpx.Client(timeout=10.0) as client:\n    client.get(url)\n```",
)
EXCEPTION = ("Which exception is raised above 50 MB?", "Raises `QuotaError` if the `size` argument is above 50 MB.")
PATH = ("Which endpoint adds a webhook?", "`POST /webhooks` adds one; an account may have at most 5 of them.")
COOKIES = (
    "How do I include cookies in an outgoing request?",
    "To include cookies in an outgoing request, use the `cookies` parameter.",
)
FIELD = (
    "What is the field `description` of the schema `policy`?",
    "`description` (string): The description of the policy.",
)
CORE = ("What does `httpcore` do?", "`httpcore` - The underlying transport implementation for `httpx`.")

# (question and reference, answer, what a person says)
LABELLED = [
    (CURSOR, CURSOR[1], "correct"),
    (CURSOR, "400", "correct"),
    (CURSOR, "It fails with 400 Bad Request.", "correct"),
    (CURSOR, "It fails with status 404.", "incorrect"),
    (CURSOR, "It fails with 400 or 404.", "incorrect"),
    (CURSOR, "It fails with the error code `cursor_expired`.", "incorrect"),
    (CURSOR, "I don't know.", "not_attempted"),
    (CURSOR, "The documentation does not mention older cursors.", "not_attempted"),
    (CURSOR, "", "not_attempted"),
    (CURSOR_ERROR, "`cursor_expired`", "correct"),
    (CURSOR_ERROR, "cursor_expired (status 400)", "correct"),
    (CURSOR_ERROR, "`invalid_cursor`", "incorrect"),
    (RETRIES, "Four times.", "correct"),
    (RETRIES, "It retries 4 times before giving up.", "correct"),
    (RETRIES, "It retries 3 times.", "incorrect"),
    (RETRIES, "It retries a failed upload several times.", "incorrect"),
    (RETRIES, "I'm sorry, I am not able to say; perhaps 4.", "correct"),
    (OPTION, "Use --no-retry.", "correct"),
    (OPTION, "Use `--no-retries`.", "incorrect"),
    (OPTION, "Pass the `--retry` option with 0.", "incorrect"),
    (DEFAULT, "5 seconds", "correct"),
    (DEFAULT, "The default `timeout` is 5.0 seconds.", "correct"),
    (DEFAULT, "The default `timeout` is 5.5 seconds.", "incorrect"),
    (DEFAULT, "The default `timeout` is 30 seconds.", "incorrect"),
    (DEFAULT, "There is no timeout by default.", "incorrect"),
    (AUTH, "Pass the `auth` argument a 2-tuple of `str` or `bytes`.", "correct"),
    (AUTH, "Give a 2-tuple of strings (`str`) as `auth`.", "correct"),
    (AUTH, "Set the `Authorization` header to a bearer token.", "incorrect"),
    (AUTH, "Pass `credentials` with 2 objects, `str` and `bytes`, to `auth_login`.", "incorrect"),
    (PROXY, "It transfers data to the server on behalf of the client.", "correct"),
    (PROXY, "The proxy transfers data to the server for you, on behalf of the client.", "correct"),
    (PROXY, "The proxy caches responses of the server.", "incorrect"),
    (PROXY, "The proxy does not transfer data to the server on behalf of the client.", "incorrect"),
    (PROXY, "What does the proxy do for the client?", "incorrect"),
    (DELETE, "They are not refunded and stay in the archive.", "correct"),
    (DELETE, "They are refunded and stay in the archive.", "incorrect"),
    (YES, "Yes.", "correct"),
    (YES, "Yes, install the http2 extra.", "correct"),
    (YES, "No, only HTTP/1.1.", "incorrect"),
    (YES, "It does not support HTTP/2.", "incorrect"),
    (SIZE, "1000 MB", "correct"),
    (SIZE, "At most 1,000 megabytes.", "correct"),
    (SIZE, "100 MB", "incorrect"),
    (CODE, "with httpx.Client(timeout=10.0) as client: client.get(url)", "correct"),
    (CODE, "```python\nwith httpx.Client() as client:\n    client.get(url)\n```", "incorrect"),
    (EXCEPTION, "`QuotaError`", "correct"),
    (EXCEPTION, "A quotaerror is raised.", "correct"),
    (EXCEPTION, "`SizeError`", "incorrect"),
    (EXCEPTION, "`QuotaError`, a kind of `upload.LimitError`.", "incorrect"),
    (PATH, "`POST /webhooks`", "correct"),
    (PATH, "POST /hooks", "incorrect"),
    (COOKIES, "Use the cookies parameter of the request.", "correct"),
    (COOKIES, "To include URL query parameters in the request, use the `params` keyword.", "incorrect"),
    (FIELD, "`value` (string, required): The value of the tag.", "incorrect"),
    (CORE, "It implements the underlying transport of httpx.", "correct"),
    (CORE, "You can configure an `httpx` client to call directly into a web application.", "incorrect"),
]


@pytest.mark.parametrize(("asked", "answer", "label"), LABELLED)
def test_rules_agree_with_a_person(asked, answer, label):
    question, reference = asked
    assert grade(Key(question, reference, (reference,)), answer).outcome == label


def test_a_grade_says_what_was_missing_and_what_was_made_up():
    found = grade(Key(*RETRIES), "It retries 3 times.")
    assert (found.missing, found.wrong, found.how, found.correct) == (("4",), ("3",), "values", False)


def test_what_stands_in_the_section_contradicts_nothing():
    answer = "Four times, with a pause of 30 seconds."
    assert not grade(Key(*RETRIES), answer).correct
    assert grade(Key(*RETRIES, source="Between retries it waits 30 seconds."), answer).correct


@pytest.mark.parametrize(
    ("question", "reference", "values", "pointed"),
    [
        (*CURSOR, {"400"}, True),
        (*CURSOR_ERROR, {"cursor_expired"}, True),
        (*RETRIES, {"4"}, True),
        ("How many retries?", "It retries three times.", {"3"}, True),
        (*OPTION, {"--no-retry"}, True),
        (*AUTH, {"2", "str", "bytes", "auth"}, False),
        (*PROXY, set(), False),
    ],
)
def test_a_question_asks_for_what_it_does_not_give_away(question, reference, values, pointed):
    found = asked_for(question, reference)
    assert (found.values, found.pointed) == (values, pointed)


def test_numbers_have_one_writing():
    assert numbers_of("1,000 or 5.0, three") == {"1000", "5", "3"}
    assert states("Python 3.10", "3.10")
    assert not states("Python 3.10", "3.1")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("I'm not sure about that.", True),
        ("I do not have information on this.", True),
        ("Unfortunately that cannot be said.", True),
        ("This is not documented anywhere.", True),
        ("There is no such option in Quayline.", True),
        ("...", True),
        ("The default is `None`.", False),
        ("You do not have to provide a key.", False),
        ("It raises an error, which the documentation does not describe.", True),
        ("No, a key is not needed.", False),
    ],
)
def test_abstentions_are_seen_where_an_answer_begins(answer, expected):
    assert abstains(answer) is expected


def test_an_answer_that_documents_an_absence_is_no_abstention():
    key = Key("Is the limit documented?", "The documentation does not state a limit.")
    assert grade(key, "The documentation does not state a limit.").correct


WORDS = ("alpha", "beta", "gamma", "the", "a", "7", "12", "`name_x`", "--flag", "not")
words = st.lists(st.sampled_from(WORDS), max_size=12)


@given(words.map(" ".join), words.map(" ".join))
def test_f1_is_symmetric_within_bounds_and_one_for_itself(one, other):
    assert 0 <= token_f1(one, other) == token_f1(other, one) <= 1
    assert token_f1(one, one) == 1


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_any_text_can_be_graded(question, reference, answer):
    found = grade(Key(question, reference), answer)
    assert found.outcome in ("correct", "incorrect", "not_attempted")
    assert grade(Key(question, reference), answer) == found


@given(st.sampled_from(sorted({asked for asked, _, _ in LABELLED})))
def test_the_reference_itself_is_right(asked):
    assert grade(Key(*asked), asked[1]).correct


def test_labels_are_short_references_that_come_often():
    references = ["Yes.", "yes", "Yes", "no", "No", "no!", "maybe", "a long reference of many words"] + ["once"] * 2
    assert labels_among(references) == ["no", "yes"]
    assert said_label("Yes, but no.", ["no", "yes"]) == "yes"
    assert said_label("nothing of it", ["no", "yes"]) == ""


def test_scores_of_labels():
    told = [("yes", "yes"), ("yes", "no"), ("no", "no"), ("no", ""), ("yes", "yes")]
    scores = label_scores(told)
    assert (scores["yes"].precision, scores["yes"].recall) == (1.0, pytest.approx(2 / 3))
    assert (scores["no"].precision, scores["no"].recall, scores["no"].support) == (0.5, 0.5, 2)
    assert macro_f1(scores) == pytest.approx((0.8 + 0.5) / 2)
    assert macro_f1({}) == 0


def test_kappa():
    assert cohens_kappa(["a", "b", "a", "b"], ["a", "b", "a", "b"]) == 1
    # Cohen's own way of counting: 0.7 observed, 0.5 by chance.
    one = ["y"] * 25 + ["n"] * 25
    other = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert cohens_kappa(one, other) == pytest.approx(0.4)
    assert cohens_kappa(["a"], ["a"]) is None
    assert cohens_kappa([], []) is None
    with pytest.raises(ValueError, match="same items"):
        cohens_kappa(["a"], [])


@pytest.mark.parametrize(
    ("question", "reference"),
    [
        (
            "To send past events again, which request method is there?",
            '`POST /webhooks/{webhook_id}/replay` with `{"since": "2025-09-01T00:00:00Z"}` sends past events again.',
        ),
        ("When was it released?", "Version 1.2.3-rc1 was released on 2024-02-29T12:30:00+01:00."),
        ("What does the call look like?", "`client.get( url )`, with  two spaces."),
    ],
)
def test_a_reference_with_dates_and_calls_is_right_itself(question, reference):
    assert grade(Key(question, reference, (reference,)), reference).correct
