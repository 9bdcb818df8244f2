"""Front matter of a Markdown page -> its title and the rest of the text.

YAML between ``---`` lines or TOML between ``+++`` lines, at the very top. A page that merely begins with a thematic
break has none: what stands between the lines must be a mapping, or at least look like ``key: value`` lines.
"""

import re
import tomllib
from functools import cache

import yaml

_YAML = re.compile(r"---[ \t]*\n(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML = re.compile(r"\+\+\+[ \t]*\n(.*?\n)??\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL)
_KEY_LINE = re.compile(r"[\w.-]+:(?:[ \t]|$)|[ \t#\-\]})]|$")
_TITLE_LINE = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_MAX_CHARACTERS = 100_000  # a longer head is text between two thematic breaks, not settings
_MAX_PARSED = 10_000  # characters; nested brackets take libyaml time that grows with their square


def split_front_matter(text: str) -> tuple[str, str]:
    """Return the title (``""`` without one) and the text below the front matter."""
    head = text[: _MAX_CHARACTERS + 10]
    if match := _YAML.match(head):
        title = _yaml_title(match[1] or "")
    elif match := _TOML.match(head):
        title = _toml_title(match[1] or "")
    else:
        return "", text
    return ("", text) if title is None else (title, text[match.end() :])


def _yaml_title(source: str) -> str | None:
    """None if this is no front matter."""
    try:
        return _title_of_events(source) if len(source) <= _MAX_PARSED else _title_of_lines(source)
    except (yaml.YAMLError, ValueError):
        return _title_of_lines(source)


def _title_of_events(source: str) -> str | None:
    """Look for the title in the parser's events: building values would recurse, and libyaml's crash at depth."""
    depth, key, key_is_next, title = 0, None, True, ""
    for event in yaml.parse(source, _loader()):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            if depth == 0 and not isinstance(event, yaml.MappingStartEvent):
                return None
            if depth == 1:
                if key == "title" and not key_is_next and isinstance(event, yaml.ScalarEvent):
                    title = " ".join(event.value.split())
                key = getattr(event, "value", None) if key_is_next else None
                key_is_next = not key_is_next
            depth += isinstance(event, yaml.CollectionStartEvent)
    return title


@cache
def _loader() -> type[yaml.SafeLoader]:
    """Libyaml where PyYAML was built with it: ten times as fast, and every page has front matter."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _title_of_lines(source: str) -> str | None:
    """Title of front matter that is not quite YAML, such as ``title: Errors: how to read them``."""
    if not all(_KEY_LINE.match(line) for line in source.splitlines()):
        return None
    title = _TITLE_LINE.search(source)
    return title[1].strip("'\"") if title else ""


def _toml_title(source: str) -> str | None:
    try:
        return _title(tomllib.loads(source))
    except (tomllib.TOMLDecodeError, RecursionError):
        return _title_of_lines(source.replace(" = ", ": "))


def _title(settings: dict[str, object]) -> str:
    title = settings.get("title")
    return " ".join(str(title).split()) if isinstance(title, str | int | float) else ""
