"""``broken_code``: code of an answer that its language cannot parse, where the documents' own code is no such thing.

Python, JSON, YAML, shell (and with it curl) and JavaScript, by the language's own parser or its tree-sitter grammar.
Other languages are not judged; nor is code that the section itself has, unless that is whole there and cut here.
"""

import ast
import json
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from filters.apply import Candidate, Drop, Filter, FilterConfig

_FENCE = re.compile(r"^ *(`{3,}|~{3,}) *([\w+#.-]*)[^\n]*\n(.*?)(?:^ *\1 *$|\Z)", re.DOTALL | re.MULTILINE)
_PROMPT = re.compile(r"^(?:>>>|\.\.\.|\$|In \[\d+\]:) ?", re.MULTILINE)
_SESSION = re.compile(r"^ *>>> ", re.MULTILINE)
# "..." and "…" stand for what an example leaves out.
_ELLIPSIS = re.compile(r",?\s*(?:\.\.\.|…)")
_PLACEHOLDER = re.compile(r"<[\w \-]+>|\{\{[^{}]*\}\}")
_LANGUAGES = {
    **dict.fromkeys(("python", "py", "python3", "pycon"), "python"),
    **dict.fromkeys(("json", "jsonc", "json5"), "json"),
    **dict.fromkeys(("yaml", "yml"), "yaml"),
    **dict.fromkeys(("bash", "sh", "shell", "console", "zsh", "curl", "shell-session"), "shell"),
    **dict.fromkeys(("javascript", "js", "node", "mjs", "jsx"), "javascript"),
}
_LOOKS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("shell", re.compile(r"^(?:\$ |curl |pip |npm |docker |git |export [A-Z_]+=|sudo )")),
    (
        "python",
        re.compile(r"^(?:>>> |import \w|from [\w.]+ import |def \w+\(|async def |with \w[\w.]*\(|class \w+[(:])"),
    ),
    ("javascript", re.compile(r"^(?:const |let |var \w+ =|import .* from ['\"]|await fetch\(|function \w+\()")),
    ("json", re.compile(r"^[\[{]\s*(?:[\"\[{\]}]|$)")),
)
_LONGEST = 4_000  # characters; longer code is not judged: recovering from errors takes the square of the time


@dataclass(frozen=True, slots=True)
class BrokenCode:
    """Parses the code of the answer."""

    name: str = "broken_code"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if a piece of code is cut or garbled."""
        for tongue, code in pieces(candidate.pair.answer, bare=candidate.pair.kind == "code"):
            problem = flaw(tongue, code)
            if problem and not _is_their_own(tongue, code, candidate.chunk.text):
                return Drop(f"its {tongue} does not parse: {problem}")
        return None


def _is_their_own(tongue: str, code: str, section: str) -> bool:
    """Whether the section has this code, and not as the beginning of code that parses: then it was cut."""
    wanted = _squeezed(code)
    if wanted not in _squeezed(section):
        return False
    blocks = [fence[3] for fence in _FENCE.finditer(section) if wanted in _squeezed(fence[3])]
    return not any(flaw(tongue, textwrap.dedent(block)) == "" for block in blocks)


def pieces(answer: str, *, bare: bool) -> Iterator[tuple[str, str]]:
    """Yield (language, code) of what is fenced, and of the whole answer if that is code without a fence."""
    fenced = list(_FENCE.finditer(answer))
    for fence in fenced:
        tongue = _LANGUAGES.get(fence[2].lower()) or ("" if fence[2] else _look(fence[3]))
        if tongue and len(fence[3]) <= _LONGEST:
            yield tongue, textwrap.dedent(fence[3])
    plain = answer.strip().strip("`")
    if bare and not fenced and len(plain) <= _LONGEST and (tongue := _look(plain)):
        yield tongue, plain


def flaw(tongue: str, code: str) -> str:
    """What the language's parser objects to; empty if nothing."""
    return _PARSERS[tongue](code)


def _look(code: str) -> str:
    return next((tongue for tongue, look in _LOOKS if look.match(code.lstrip())), "")


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _python(code: str) -> str:
    tidy = textwrap.dedent("\n".join(_session(code) if _SESSION.search(code) else code.split("\n"))).strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # A top-level await is what a notebook and many pages show.
            compile(tidy, "answer", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return str(error)[:80]
    return ""


def _session(code: str) -> Iterator[str]:
    """The typed lines of an interactive session, without what was printed."""
    for line in code.split("\n"):
        if _PROMPT.match(line.lstrip()):
            yield _PROMPT.sub("", line.lstrip(), count=1)


def _json(code: str) -> str:
    bare = _ELLIPSIS.sub("", re.sub(r"^\s*//.*$", "", code, flags=re.MULTILINE))
    try:
        json.loads(_PLACEHOLDER.sub("0", bare) if '"<' not in bare else bare)
    except (ValueError, RecursionError) as error:
        return str(error)[:80]
    return ""


def _yaml(code: str) -> str:
    try:
        for _ in yaml.parse(_PLACEHOLDER.sub("x", code), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            pass
    except (yaml.YAMLError, RecursionError) as error:
        return str(getattr(error, "problem", "") or error)[:80]
    return ""


def _shell(code: str) -> str:
    console = re.search(r"^\$ ", code, re.MULTILINE)
    typed = "\n".join(line.removeprefix("$ ") for line in _typed(code)) if console else code
    return _by_grammar("tree_sitter_bash", _PLACEHOLDER.sub("x", typed))


def _typed(code: str) -> Iterator[str]:
    """The typed lines of a console, with their continuations, without what was printed."""
    going_on = False
    for line in code.split("\n"):
        if line.startswith("$ ") or going_on:
            yield line
            going_on = line.endswith("\\")


def _javascript(code: str) -> str:
    return _by_grammar("tree_sitter_javascript", _ELLIPSIS.sub("", code))


def _by_grammar(module: str, code: str) -> str:
    root = _parser(module).parse(code.encode("utf-8", "replace")).root_node
    if not root.has_error:
        return ""
    node = root
    while child := next((child for child in node.children if child.has_error or child.is_missing), None):
        node = child
    return f"line {node.start_point[0] + 1}: '{code.split(chr(10))[node.start_point[0]][:60].strip()}'"


@lru_cache
def _parser(module: str) -> Any:  # noqa: ANN401 - a tree_sitter.Parser, imported when first needed
    from importlib import import_module

    from tree_sitter import Language, Parser

    return Parser(Language(import_module(module).language()))


_PARSERS: dict[str, Callable[[str], str]] = {
    "python": _python,
    "json": _json,
    "yaml": _yaml,
    "shell": _shell,
    "javascript": _javascript,
}


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return BrokenCode()
