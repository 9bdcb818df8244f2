"""reStructuredText as Sphinx projects write it: what a reader of the built page sees, and where it stands."""

import textwrap
from pathlib import Path

import pytest

pytest.importorskip("docutils")

from generators.docs import rst
from generators.docs.parsed import Parsed
from generators.errors import UnreadableDocumentError


def read(source: str) -> Parsed:
    return rst.read(textwrap.dedent(source).lstrip("\n").encode(), "page.rst")


def texts(source: str, kind: str | None = None) -> list[str]:
    return [block.text for block in read(source).blocks if kind in (None, block.kind)]


def headings(source: str) -> list[tuple[int, str]]:
    return [(block.level, block.text) for block in read(source).blocks if block.kind == "heading"]


def test_levels_follow_the_order_of_adornments_and_the_one_top_section_is_the_title():
    source = """
        ======
        Orders
        ======

        ``GET`` *it*
        ------------

        Text.

        Deeper
        ~~~~~~

        Next
        ----
        """
    assert headings(source) == [(1, "Orders"), (2, "GET it"), (3, "Deeper"), (2, "Next")]
    assert read(source).title == "Orders"


def test_lines_are_those_of_the_source():
    source = textwrap.dedent(
        """\
        Title
        =====

        First line,
        second line::

            code = 1

            more = 2

        .. a comment

        .. note:: One.

           Two.

        - item

          more
        - other

        === ===
        a   b
        === ===
        1   2
        === ===
        """
    )
    lines = source.split("\n")
    spans = {b.kind: "\n".join(lines[b.first_line - 1 : b.last_line]) for b in reversed(read(source).blocks)}
    assert spans["heading"] == "Title\n====="
    assert spans["prose"] == "First line,\nsecond line::"
    assert spans["code"] == "    code = 1\n\n    more = 2"
    assert spans["admonition"] == ".. note:: One.\n\n   Two."
    assert spans["list_item"] == "- item\n\n  more"
    assert spans["table"].startswith("=== ===\na   b")
    assert spans["table"].endswith("1   2\n=== ===")


def test_a_function_opens_a_section_and_the_text_after_it_belongs_to_its_parent_again():
    source = """
        Client
        ======

        .. py:class:: Client(base_url)

           Talks.

           .. py:method:: get(path, \\*args)
                          get(path)
              :async:

              Fetches.

              :param str path: Where.
              :raises ValueError: If bad.

        Close it in the end.
        """
    assert [(block.level, block.text) for block in read(source).blocks] == [
        (1, "Client"),
        (2, "class Client(base_url)"),
        (0, "```python\nclass Client(base_url)\n```"),
        (0, "Talks."),
        (3, "get(path, *args)"),
        (0, "```python\nget(path, *args)\nget(path)\n```"),
        (0, "Fetches."),
        (0, "- Parameter `path` (str): Where."),
        (0, "- Raises `ValueError`: If bad."),
        (1, "Client"),
        (0, "Close it in the end."),
    ]


@pytest.mark.parametrize(
    ("directive", "heading"),
    [
        ("http:get:: /users/(int:id)", "GET /users/(int:id)"),
        ("js:function:: open(url)", "open(url)"),
        ("c:function:: int f(void)", "int f(void)"),
        ("option:: -f FILE, --file FILE", "-f FILE, --file FILE"),
        ("envvar:: HOME", "HOME"),
        ("confval:: retries", "retries"),
        ("autofunction:: a.b", "a.b"),
        ("our-own-object:: name(x)", "name(x)"),
    ],
)
def test_described_objects_of_any_domain_open_a_section(directive, heading):
    assert headings(f".. {directive}\n\n   Described.\n") == [(1, heading)]


def test_an_object_of_which_nothing_is_said_stays_a_line_and_a_tool_s_order_is_dropped():
    assert texts(".. data:: LIMIT\n\n.. autoclass:: Foo\n   :members:\n") == ["`LIMIT`"]


def test_facts_in_options_are_kept():
    source = ".. confval:: retries\n   :type: :code:`int`\n   :default: 3\n"
    assert texts(source) == ["retries", "`retries`", "Type: `int`\nDefault: `3`"]


def test_a_long_signature_is_no_heading():
    parameters = ", ".join(f"parameter_{n}=None" for n in range(20))
    assert texts(f".. js:function:: open({parameters})\n\n   Opens.\n") == [
        "open(…)",
        f"```javascript\nopen({parameters})\n```",
        "Opens.",
    ]


def test_code_is_kept_with_its_language_even_if_the_blank_line_is_missing():
    source = """
        .. code-block:: python
           :linenos:

           if a:
               b()

        .. code-block:: sh
           make

        .. highlight:: json

        ::

           {"a": "```"}

        >>> 1 + 1
        2
        """
    assert texts(source) == [
        "```python\nif a:\n    b()\n```",
        "```sh\nmake\n```",
        '````json\n{"a": "```"}\n````',
        "```pycon\n>>> 1 + 1\n2\n```",
    ]


def test_admonitions_are_whole_and_say_what_they_are():
    source = """
        .. warning::
           :class: big

           Hot.

           - really

        .. versionadded:: 3.2 The ``x``
           switch.

        .. deprecated:: 4

        .. admonition:: Mind *this*

           Text.
        """
    assert texts(source, "admonition") == [
        "**Warning:** Hot.\n\n- really",
        "**Added in version 3.2:** The `x`\nswitch.",
        "Deprecated since version 4.",
        "**Mind this:** Text.",
    ]


def test_roles_become_what_a_reader_sees():
    source = r"""
        .. |name| replace:: *replaced* text
        .. _site: https://example.org/a

        .. _limits:

        Rate limits
        ===========

        :py:meth:`~a.b.send` :func:`!open` :ref:`the text <x>` :ref:`limits` :doc:`Guide </guide>` :term:`token`
        :pep:`8` :kbd:`Ctrl+C` :ours:`thing` `single` |name| |version| 10\ :sup:`2`
        `site`_ `here <https://example.org/b>`_
        """
    assert texts(source, "prose") == [
        "`send` `open` the text Rate limits Guide token\n"
        "PEP 8 `Ctrl+C` `thing` `single` *replaced* text |version| 10^2\n"
        "[site](https://example.org/a) [here](https://example.org/b)"
    ]


def test_tables_of_every_kind_become_pipe_tables():
    source = """
        .. list-table:: Limits
           :header-rows: 1
           :widths: 1 2 3

           * - Plan
             - Calls
           * - Free
             - - 5
               - a|b

        .. csv-table::
           :header: x, y

           1, "2, 3"

        +---+---+
        | a | b |
        +---+---+
        | 1 | 2 |
        |   +---+
        |   | 3 |
        +---+---+
        """
    assert texts(source) == [
        "**Limits**",
        "| Plan | Calls |\n| --- | --- |\n| Free | - 5<br>- a\\|b |",
        "| x | y |\n| --- | --- |\n| 1 | 2, 3 |",
        "|  |  |\n| --- | --- |\n| a | b |\n| 1 | 2 |\n| 1 | 3 |",
    ]


def test_tabs_and_other_containers_keep_their_content_and_label():
    source = """
        .. tabs::

           .. group-tab:: Linux

              Use apt.

           .. code-tab:: python Client

              import x

        .. only:: html

           Everyone.

        .. glossary::

           one
           two
              Both.
        """
    assert texts(source) == [
        "**Linux**",
        "Use apt.",
        "**Client**",
        "```python\nimport x\n```",
        "Everyone.",
        "- **one, two**: Both.",
    ]


def test_what_no_reader_sees_is_dropped():
    source = """
        :orphan:
        :Base URL: https://api.example.org

        .. meta::
           :description lang=en: for machines

        .. toctree::
           :maxdepth: 2

           other

        .. image:: badge.svg
           :alt: build
           :target: https://ci.example.org

        .. raw:: html

           <b>raw</b>

        .. comment
        """
    assert texts(source) == ["- **Base URL**: https://api.example.org"]


def test_nothing_is_read_from_disk(tmp_path: Path):
    secret = tmp_path / "secret.csv"
    secret.write_text("hunter2,2\n")
    source = f"""
        .. include:: {secret}

        .. literalinclude:: {secret}

        .. csv-table::
           :file: {secret}

        .. csv-table::
           :url: {secret.as_uri()}

        .. raw:: html
           :file: {secret}

        .. figure:: {secret}
           :figwidth: image
        """
    assert texts(source) == [f"File: `{secret}`", f"File: `{secret}`", f"File: `{secret.as_uri()}`"]


def test_mistakes_lose_nothing_and_print_nothing(capfd: pytest.CaptureFixture[str]):
    source = """
        Top
        ===

        Sub
        ---

        Subsub
        ~~~~~~

        Second
        ======

        Jumped
        ~~~~~~

        Text with *open emphasis and `tick.

        ===  ===
        a    b
        ===  ===
        no columns here
        ===  ===
        """
    found = texts(source)
    assert headings(source)[-1] == (2, "Jumped")
    assert "Text with *open emphasis and `tick." in found
    assert "no columns here" in found[-1]
    assert capfd.readouterr() == ("", "")


def test_substitutions_cannot_explode():
    bomb = "".join(f".. |a{n}| replace:: {f'|a{n + 1}| ' * 10}\n" for n in range(40)) + "\n|a0|\n"
    assert sum(map(len, texts(bomb))) < 10_000
    assert texts(".. |a| replace:: x |a|\n\n|a|\n") == ["x |a|"]


def test_endless_nesting_is_malformed():
    with pytest.raises(UnreadableDocumentError) as caught:
        rst.read("".join("  " * depth + "- x\n\n" for depth in range(600)).encode(), "deep.rst")
    assert caught.value.reason == "malformed"


def test_a_paragraph_of_many_addresses_is_read():
    source = "see " + " ".join(f"https://example.org/{n}" for n in range(2_000))
    assert texts(source) == [source]
