"""Prompts: what is wrong with one is said before anything is spent; documents are values, never template text."""

import pytest

from generators.errors import UsageError
from generators.templates import TemplateConstants, builtin_templates, load_template

VALUES = {
    "sections": [{"heading": ("Guide", "A"), "text": "Pass `x`.", "kind": "section", "fresh": ()}],
    "names": ["x"],
    "facts": 2,
    "wordings": 3,
    "kinds": ("limit",),
    "product": "",
    "slot": 0,
}
USER = "{% block user %}{{ sections[0].text }}{% endblock %}"


@pytest.fixture
def template(tmp_path):
    """Load a template of this text."""

    def load(text):
        path = tmp_path / "mine.jinja"
        path.write_text(text, newline="")
        return load_template(str(path))

    return load


# The prompts that ask for pairs; those for scoring are tested with it.
OURS = [name for name in sorted(builtin_templates()) if name.startswith("facts")]


def system(text):
    return f"{{% block system %}}{text}{{% endblock %}}{USER}"


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("changes", [{}, {"slot": 2}, {"product": "Quayline"}, {"names": []}])
def test_ours_render_with_all_that_may_be_empty(name, changes):
    instructions, user = load_template(name).render({**VALUES, **changes})
    assert "JSON" in instructions
    assert "Pass `x`." in user
    assert "Pass `x`." not in instructions
    assert ("Quayline" in instructions) == ("product" in changes)


def test_constants_are_read_from_the_top(template):
    assert template(system("")).constants == TemplateConstants()
    text = "{% set facts_per_section = 4 -%}{% set bound_quotes = true %}{% set tone = 'dry' %}" + system("")
    assert template(text).constants == TemplateConstants(facts_per_section=4, bound_quotes=True)


def test_what_the_top_defines_can_be_used_in_the_blocks(template):
    text = "{% set tone = 'dry' %}{% macro list(names) %}<{{ names | join('+') }}>{% endmacro %}"
    assert template(text + system("{{ tone }} {{ list(names) }} {{ wordings }}")).render(VALUES)[0] == "dry <x> 3"


def test_sha256_is_of_the_text_whatever_the_line_ends(template):
    one, two = template(system("a\nb")), template("\ufeff" + system("a\r\nb"))
    assert one.sha256 == two.sha256 != template(system("a\nc")).sha256


WRONG = {
    "unknown variable": (system("\n{{ tone }}"), "line 2: unknown variable 'tone'; there are facts, kinds, names"),
    "syntax": (system("\n\n{{ names | }}"), "line 3: "),
    "unknown filter": (system("\n{{ names | sorted }}"), "line 2: No filter named 'sorted'"),
    "open block": ("{% block system %}", "line 1: Unexpected end of template"),
    "no block": (USER, "has no block 'system': write {% block system %}"),
    "include": (system("\n{% include 'other' %}"), "line 2: a prompt is one file"),
    "extends": ("{% extends 'facts' %}" + system(""), "line 1: a prompt is one file"),
    "constant type": ("\n{% set wordings = 'three' %}" + system(""), "line 2: wordings must be a constant int"),
    "constant kind": ("{% set bound_quotes = 1 %}" + system(""), "bound_quotes must be a constant bool"),
    "computed constant": ("{% set wordings = facts %}" + system(""), "wordings must be a constant int"),
    "constant zero": ("{% set facts_per_section = 0 %}" + system(""), "facts_per_section must be at least 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_slip_is_one_line_that_says_where(template, case):
    text, message = WRONG[case]
    with pytest.raises(UsageError) as caught:
        template(text)
    assert message in str(caught.value)
    assert "mine.jinja" in str(caught.value)
    assert "\n" not in str(caught.value)


LATE = {
    "attribute": ("\n{{ sections[0].title }}", "has no attribute 'title'"),
    "missing section": ("\n{{ sections[7].text }}", "has no element 7"),
    "type": ("\n{{ names + 1 }}", "can only concatenate"),
    "division": ("\n{{ 1 / slot }}", "division by zero"),
    "recursion": ("{% macro m() %}{{ m() }}{% endmacro %}\n{{ m() }}", ""),
    "huge range": ("\n{{ range(10000000) | list }}", "Range too big"),
    "class": ("\n{{ ''.__class__.__mro__ }}", "unsafe"),
    "globals": ("\n{{ sections.append.__globals__ }}", "unsafe"),
    "format": ("\n{{ '{0.__class__}'.format(names) }}", "unsafe"),
    "mutation": ("\n{{ names.append('y') }}", "unsafe"),
}


@pytest.mark.parametrize("case", LATE)
def test_what_shows_only_when_rendered_is_one_line_too(template, case):
    text, message = LATE[case]
    with pytest.raises(UsageError) as caught:
        template(system(text)).render(VALUES)
    assert message in str(caught.value)
    assert str(caught.value).startswith("template mine, line ")
    assert case == "recursion" or "line 2:" in str(caught.value)


def test_a_value_that_was_not_given_is_named(template):
    with pytest.raises(UsageError, match="'product' is undefined"):
        template(system("{{ product }}")).render({key: VALUES[key] for key in VALUES if key != "product"})


@pytest.mark.parametrize("name", OURS)
def test_documents_are_never_evaluated_nor_escaped(name):
    text = "{{ 7*7 }} {% include 'x' %} {# gone? #} <b>&amp;\n    {%- raw -%}"
    section = {"heading": ("{{ 7*7 }}",), "text": text, "kind": "section", "fresh": ()}
    instructions, user = load_template(name).render({**VALUES, "sections": [section], "names": ["{{ 7*7 }}"]})
    assert text in user
    assert "{{ 7*7 }}" in user.splitlines()[0]
    assert "49" not in instructions + user


def test_no_such_template_names_those_there_are(tmp_path):
    with pytest.raises(UsageError, match="no template 'nope': give a file, or one of answer, "):
        load_template("nope")
    (tmp_path / "odd.jinja").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"cannot read the template .*odd\.jinja"):
        load_template(str(tmp_path / "odd.jinja"))
