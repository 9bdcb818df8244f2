"""Find what CommonMark does not know and a reader of the page takes as one piece; cut the page around it.

    !!! note, ??? tip, === "Tab"        MkDocs: the indented body belongs to it
    :::note … :::                       Docusaurus, VuePress, Pandoc, MyST
    <Note>…</Note>, <details>, <table>  MDX components, and HTML with blank lines inside
    {{< note >}}…{{< /note >}}          Hugo, and {% hint %}…{% endhint %} (GitBook, Jekyll): callouts only
    import …, export …, {/* … */}       MDX; dropped

A callout is kept whole. Another container is kept whole while it is short and holds no heading; otherwise its tags
become pieces of their own and its body is read as Markdown. It is one pass over the lines that can matter, linear in
the length of the text.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Literal

CALLOUT_NAMES = frozenset(
    [
        "abstract",
        "admonition",
        "alert",
        "aside",
        "attention",
        "bug",
        "callout",
        "caution",
        "check",
        "danger",
        "deprecated",
        "error",
        "example",
        "failure",
        "hint",
        "important",
        "info",
        "note",
        "question",
        "quote",
        "seealso",
        "success",
        "summary",
        "tip",
        "todo",
        "warn",
        "warning",
    ]
)
_MAX_CALLOUT = 20_000  # characters; what is longer is no callout but a tag that was left open
_MAX_WHOLE = 6_000

RegionKind = Literal["markdown", "admonition", "table", "prose", "dropped"]

_NAME = r"[A-Z][\w.]*|details|table"
# Possessive quantifiers: a line of twenty million list markers must not pile up backtracking points.
_TOKEN = re.compile(
    rf"""
      ^[ \t>]*+(?:(?:[-+*]|\d{{1,9}}[.)])[ \t]++)*+(?P<fence>`{{3,}}+|~{{3,}}+)(?P<info>[^\n]*)
    | ^(?P<indented>(?:!!!|\?\?\?\+?)[ ]?[\w-]|===[!+]?[ ]["'])
    | ^(?P<indent>[ \t]*+)(?:(?P<colons>:{{3,}}+)[ \t]*+(?P<directive>[^\n]*)|<(?P<tag>{_NAME})(?=[\s/>]))
    | </(?P<tag_end>{_NAME})[ \t]*>
    | ^[ \t]*+(?P<self_closed>/>)
    | \{{\{{[<%][ ]*(?P<hugo_end>/?)[ ]*(?P<hugo>[A-Za-z]+)
    | \{{%-?[ ]*(?P<liquid_end>end)?(?P<liquid>[A-Za-z]+)
    | ^(?P<module>import|export)[ ]
    | ^[ \t]*+(?P<hidden>\{{/\*|<!--)
    | ^(?P<heading>[ \t]*+(?:\#{{1,6}}[ \t]|<h[1-6]\b))
    """,
    re.MULTILINE | re.VERBOSE,
)
# A page without any of these needs no scan: substrings, and patterns that begin with one, are found far faster.
_SIGNS = ("\n!!!", "\n???", '\n=== "', "\n=== '", "\n:::", "{/*", "\n\nimport ", "\n\nexport ")
_CLOSING_SIGN = re.compile(rf"</(?:{_NAME})[ \t]*>")
_TEMPLATE_SIGN = re.compile(rf"\{{[{{%][</% -]*(?i:end)?(?i:{'|'.join(sorted(CALLOUT_NAMES))})")
_INDENTED_BODY = re.compile(r"(?:(?: {4}|\t)[^\n]*+(?:\n|\Z)|[ \t]*+\n)*+")
_DIRECTIVE_NAME = re.compile(r"[{\[.\s]*(?:callout-)?([A-Za-z]+)")
_IMPORT = re.compile(r"""import[ ](?:[\w*{][\w\s,{}*$]{0,500}?\sfrom[ ]+)?(["'])[^"'\n]+\1;?[ \t]*$""", re.MULTILINE)
_EXPORT = re.compile(r"export[ ](?:const|default|let|function|async|\{|\*)")


@dataclass(frozen=True, slots=True)
class Region:
    """Whole lines of a page: Markdown still to be parsed, a piece kept as it is, or nothing worth keeping."""

    kind: RegionKind
    text: str


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    kind: RegionKind
    opens: int = 0  # +1: opening tag of a container that is read as Markdown, -1: its closing tag


@dataclass(frozen=True, slots=True)
class _Open:
    name: str
    start: int
    callout: bool
    complete: bool = True  # the opening tag ends on its first line


def cut_containers(text: str) -> Iterator[Region]:
    """Cut a page into regions; joined, their texts are the page (bodies of opened containers lose their indent)."""
    if not _needs_scan(text):
        yield Region("markdown", text)
        return
    position, depth = 0, 0
    for span in sorted(_Scan(text).spans(), key=lambda span: (span.start, -span.end)):
        if span.start < position:
            continue
        if span.start > position:
            yield _markdown(text[position : span.start], depth)
        yield Region(span.kind, text[span.start : span.end])
        position = span.end
        depth += span.opens
    if position < len(text):
        yield _markdown(text[position:], depth)


def _needs_scan(text: str) -> bool:
    padded = "\n\n" + text
    return any(sign in padded for sign in _SIGNS) or bool(_CLOSING_SIGN.search(text) or _TEMPLATE_SIGN.search(text))


def _markdown(text: str, depth: int) -> Region:
    return Region("markdown", dedent(text) if depth > 0 else text)


@dataclass(slots=True)
class _Scan:
    """The state of the pass: open containers, open fence, and what was found, inner containers first."""

    text: str
    found: list[_Span] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)  # how often each name stands on the stack
    headings: list[int] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)  # closers that do not come any more
    fence: str = ""

    def spans(self) -> list[_Span]:
        position = 0
        while match := _TOKEN.search(self.text, position):
            position = match.end()
            if match.lastgroup == "info":
                self._at_fence(match)
            elif not self.fence:
                position = max(position, _HANDLERS[match.lastgroup or ""](self, match) or 0)
        return self.found

    def _at_fence(self, match: re.Match[str]) -> None:
        marks, info = match["fence"], match["info"]
        if self.fence:
            if marks.startswith(self.fence) and not info.strip():
                self.fence = ""
        elif marks[0] == "~" or "`" not in info:
            self.fence = marks

    def _at_indented(self, match: re.Match[str]) -> int | None:
        """MkDocs: the extent is a matter of indentation, whatever stands inside."""
        first = self._line_end(match.start())
        body = _INDENTED_BODY.match(self.text, first)
        content = body[0].rstrip() if body else ""
        if not content:
            return None
        end = self._line_end(first + len(content) - 1)
        self.found.append(_Span(match.start(), end, "admonition"))
        return end

    def _at_directive(self, match: re.Match[str]) -> None:
        directive, name = match["directive"].strip(), match["colons"]
        if not directive:
            self._close(name, match)
        elif not directive.endswith(":::") and (self.stack or not match["indent"]):
            named = _DIRECTIVE_NAME.match(directive)
            self._push(_Open(name, match.start(), callout=named is not None and named[1].lower() in CALLOUT_NAMES))

    def _at_tag(self, match: re.Match[str]) -> int | None:
        if match["indent"] and not self.stack:
            return None
        name, end = match["tag"], self._line_end(match.end())
        callout = name.lower() in CALLOUT_NAMES
        closed = self.text.find(f"</{name}", match.end(), end)
        if closed >= 0:
            if callout or name in ("details", "table"):
                self._keep(match.start(), end, name)
            return closed + len(name) + 2
        rest = self.text[match.end() : end].rstrip()
        if not rest.endswith("/>"):
            self._push(_Open(name, match.start(), callout, complete=">" in rest))
        return None

    def _at_tag_end(self, match: re.Match[str]) -> None:
        self._close(match["tag_end"], match)

    def _at_self_closed(self, _: re.Match[str]) -> None:
        if self.stack and not self.stack[-1].complete:
            self._pop()

    def _at_hugo(self, match: re.Match[str]) -> None:
        self._at_template("{{", match["hugo"].lower(), match, closes=bool(match["hugo_end"]))

    def _at_liquid(self, match: re.Match[str]) -> None:
        self._at_template("{%", match["liquid"].lower(), match, closes=bool(match["liquid_end"]))

    def _at_template(self, language: str, name: str, match: re.Match[str], *, closes: bool) -> None:
        if name not in CALLOUT_NAMES:
            return
        if closes:
            self._close(language + name, match)
        elif self._line_start(match.start()) == match.start():
            self._push(_Open(language + name, match.start(), callout=True))

    def _at_module(self, match: re.Match[str]) -> int | None:
        """MDX: an import or export statement, at the start of a block."""
        start = match.start()
        continues = bool(self.found) and self.found[-1].kind == "dropped" and self.found[-1].end == start
        if self.stack or not (continues or start == 0 or self.text[max(0, start - 2) : start] in ("\n", "\n\n")):
            return None
        if statement := _IMPORT.match(self.text, start):
            end = self._line_end(statement.end())
        elif _EXPORT.match(self.text, start):
            end = self._export_end(start)
        else:
            return None
        self.found.append(_Span(start, end, "dropped"))
        return end

    def _export_end(self, start: int) -> int:
        """The first blank line where all brackets are closed; the first blank line, if that does not come."""
        depth, position, blank = 0, start, 0
        for _ in range(1 if "brackets" in self.missing else 200):
            end = self.text.find("\n\n", position) + 1 or len(self.text)
            blank = blank or end
            paragraph = self.text[position:end]
            depth += sum(map(paragraph.count, "([{")) - sum(map(paragraph.count, ")]}"))
            if depth <= 0:
                return end
            position = end
            if end == len(self.text):
                break
        self.missing.add("brackets")
        return blank

    def _at_hidden(self, match: re.Match[str]) -> int | None:
        """What is commented out opens nothing; a JSX comment that fills its lines is dropped here."""
        closer = "*/}" if match["hidden"] == "{/*" else "-->"
        found = -1 if closer in self.missing else self.text.find(closer, match.end())
        if found < 0:
            self.missing.add(closer)
            return None
        end = self._line_end(found)
        if closer == "*/}" and not self.text[found + 3 : end].strip() and not self.stack:
            self.found.append(_Span(match.start(), end, "dropped"))
        return found + 3

    def _at_heading(self, match: re.Match[str]) -> None:
        self.headings.append(match.start())

    def _push(self, opened: _Open) -> None:
        self.stack.append(opened)
        self.names[opened.name] = self.names.get(opened.name, 0) + 1

    def _pop(self) -> _Open:
        opened = self.stack.pop()
        self.names[opened.name] -= 1
        return opened

    def _close(self, name: str, match: re.Match[str]) -> None:
        """Close the innermost container of that name; those still open inside it never were containers."""
        if not self.names.get(name):
            return
        opened = self._pop()
        while opened.name != name:
            opened = self._pop()
        start, end = opened.start, self._line_end(match.end())
        if self._is_whole(opened, end):
            self._keep(start, end, name)
            return
        first_end = self._line_end(start if opened.complete else max(start, self.text.find(">", start)))
        closing = self._line_start(match.start())
        if first_end <= closing:
            self.found += [_Span(start, first_end, "prose", +1), _Span(closing, end, "prose", -1)]

    def _is_whole(self, opened: _Open, end: int) -> bool:
        if opened.callout or opened.name == "table":
            return opened.name == "table" or end - opened.start <= _MAX_CALLOUT
        heading = bisect_left(self.headings, opened.start)
        holds_heading = heading < len(self.headings) and self.headings[heading] < end
        return not holds_heading and end - opened.start <= _MAX_WHOLE

    def _keep(self, start: int, end: int, name: str) -> None:
        self.found.append(_Span(start, end, "table" if name == "table" else "admonition"))

    def _line_start(self, position: int) -> int:
        return self.text.rfind("\n", 0, position) + 1

    def _line_end(self, position: int) -> int:
        """Where the next line starts."""
        return self.text.find("\n", position) + 1 or len(self.text)


_HANDLERS: dict[str, Callable[[_Scan, re.Match[str]], int | None]] = {
    "indented": _Scan._at_indented,
    "directive": _Scan._at_directive,
    "tag": _Scan._at_tag,
    "tag_end": _Scan._at_tag_end,
    "self_closed": _Scan._at_self_closed,
    "hugo": _Scan._at_hugo,
    "liquid": _Scan._at_liquid,
    "module": _Scan._at_module,
    "hidden": _Scan._at_hidden,
    "heading": _Scan._at_heading,
}
