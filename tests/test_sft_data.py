"""What is trained: the assistant's tokens and the one that ends the turn, by the student's own template."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from students import CHATML, chat, tiny_tokenizer

from generators.errors import UsageError
from generators.teachers import Message
from trainers.sft_data import (
    IGNORED,
    Example,
    coloured,
    encode,
    encode_all,
    prompt_tokens,
    read_examples,
    render,
    stop_tokens,
    with_context,
)

pytest.importorskip("transformers")
TOKENIZER = tiny_tokenizer()
STOPS = stop_tokens(TOKENIZER, None)
# Anything that people and documents write, special tokens' text excepted.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="<|>"), min_size=1, max_size=60).filter(str.strip)


def example(*turns, context=""):
    return Example(tuple(Message(role, content) for role, content in turns), context)


def rows_of(numbers):
    return read_examples({"messages": chat(number)} for number in numbers)


@given(TEXT, TEXT, TEXT)
def test_only_the_answer_and_the_token_that_ends_it_are_trained(system, question, answer):
    row = example(("system", system), ("user", question), ("assistant", answer))
    encoded = encode(row, TOKENIZER, STOPS)
    trained = [token for token, mark in zip(encoded.ids, encoded.trained, strict=True) if mark]
    before = [token for token, mark in zip(encoded.ids, encoded.trained, strict=True) if not mark]
    assert trained[-1] == TOKENIZER.eos_token_id
    assert TOKENIZER.eos_token_id not in trained[:-1]
    assert TOKENIZER.decode(trained[:-1]) == answer
    assert before == prompt_tokens(row.messages[:-1], TOKENIZER)
    assert encoded.labels == [IGNORED] * len(before) + trained


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
def test_every_turn_of_the_assistant_is_trained(exchanges):
    turns = [turn for asked, answered in exchanges for turn in (("user", asked), ("assistant", answered))]
    encoded = encode(example(*turns), TOKENIZER, STOPS)
    trained = [token for token, mark in zip(encoded.ids, encoded.trained, strict=True) if mark]
    assert TOKENIZER.decode(trained) == "".join(f"{answered}<|im_end|>" for _, answered in exchanges)
    assert f"{TOKENIZER.decode(encoded.ids)}\n" == render(example(*turns).messages, TOKENIZER)


def test_a_template_without_an_end_gets_one():
    tokenizer = tiny_tokenizer("{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
                               "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}")  # fmt: skip
    encoded = encode(example(("user", "why"), ("assistant", "so")), tokenizer, stop_tokens(tokenizer, None))
    assert encoded.ids[-1] == tokenizer.eos_token_id
    assert encoded.trained[-1]


def test_a_stop_token_of_the_model_ends_the_turn():
    encoded = encode(example(("user", "why"), ("assistant", "so")), TOKENIZER, stop_tokens(TOKENIZER, [0, 2]))
    assert encoded.ids[-1] == 2
    assert stop_tokens(TOKENIZER, 0) == {0, TOKENIZER.eos_token_id}


NO_SYSTEM = CHATML.replace("for message in messages", "for message in messages if message['role'] != 'system'")
REFUSES = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system here') }}{% endif %}" + CHATML
CUTS = CHATML.replace("message['content']", "message['content'][:3]")


@pytest.mark.parametrize(
    ("template", "says"),
    [(None, "no chat template"), (NO_SYSTEM, "drops the system"), (REFUSES, "no system here"), (CUTS, "drops the")],
)
def test_templates_that_lose_something_are_refused(template, says):
    tokenizer = tiny_tokenizer(template)
    with pytest.raises(UsageError, match=says):
        encode(rows_of([1])[0], tokenizer, STOPS)


def test_a_template_that_changes_earlier_turns_is_refused():
    tokenizer = tiny_tokenizer(
        "{% for m in messages %}{{ (m['content'] + '!') if loop.last else m['content'] }}{% endfor %}"
    )
    row = example(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    with pytest.raises(UsageError, match="earlier turns"):
        encode(row, tokenizer, STOPS)


def test_rows_that_would_harm_are_left_out_and_counted():
    rows = [*rows_of([1]), example(("user", "how"), ("assistant", "end with <|im_end|>")), *rows_of([3])]
    kept, left_out = encode_all(rows, TOKENIZER, STOPS, max_tokens=150)
    assert [len(row.ids) for row in kept] == [len(encode(rows[0], TOKENIZER, STOPS).ids)]
    assert left_out == {"special_token": 1, "too_long": 1}


def test_a_template_that_states_the_day_gives_the_same_rows_every_day():
    dated = tiny_tokenizer("{{ 'Today: ' + strftime_now('%d %b %Y') + '\n' }}" + CHATML)
    [row] = rows_of([1])
    assert render(row.messages, dated).startswith("Today: 26 Jul 2024\n")
    assert list(encode(row, dated, STOPS).ids[:5]) == prompt_tokens(row.messages[:-1], dated)[:5]


def test_nothing_to_train_on_is_said():
    with pytest.raises(UsageError, match="no token of any row"):
        encode_all([example(("user", "how"))], TOKENIZER, STOPS, 2048)
    with pytest.raises(UsageError, match="too long"):
        encode_all(rows_of([1, 2]), TOKENIZER, STOPS, 16)


def test_a_reader_gets_the_section_before_its_last_question():
    row = example(("system", "s"), ("user", "Why?"), ("assistant", "So."), context="A section.")
    assert with_context(row.messages, row.context)[1] == Message("user", "A section.\n\nWhy?")
    text = TOKENIZER.decode(encode(row, TOKENIZER, STOPS).ids)
    assert "<|im_start|>user\nA section.\n\nWhy?<|im_end|>" in text
    assert with_context(row.messages, "") == row.messages


def test_a_row_can_be_looked_at():
    row = encode(rows_of([1])[0], TOKENIZER, STOPS)
    plain = coloured(row, TOKENIZER, colour=False)
    assert plain.endswith("⟦The limit of `key_1` is 7. It is counted per project and reset at midnight.<|im_end|>⟧")
    assert plain.count("⟦") == 1
    assert "\x1b[32mThe limit" in coloured(row, TOKENIZER, colour=True)


def test_a_row_of_another_form_is_refused():
    with pytest.raises(UsageError, match="messages"):
        read_examples([{"text": "so"}])
