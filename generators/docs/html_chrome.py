"""Which elements of a page are its content, and which are navigation, chrome or hidden."""

from collections.abc import Iterator
from itertools import islice

from bs4 import BeautifulSoup, Tag
from bs4.element import CData, NavigableString

from generators.docs.html_names import (
    ADMONITION_KINDS,
    ADMONITIONS,
    CONTENT_CLASSES,
    DROPPED_CLASSES,
    DROPPED_IDS,
    DROPPED_ROLES,
    DROPPED_TAGS,
    LIKELY_CLASSES,
    LIKELY_IDS,
    LINK_CLASSES,
    LINK_SIGNS,
)
from generators.hidden_html import HIDING_STYLE

_SURE_RANKS = 6
# Elements that are looked at around one, so that hostile nesting costs no more than its size.
MAX_LOOK = 200
_LIKELY_SHARE = 0.5


def classes(tag: Tag) -> list[str]:
    """The classes of an element."""
    value = tag.get("class")
    return [] if value is None else value.split() if isinstance(value, str) else list(value)


def attribute(tag: Tag, name: str) -> str:
    """An attribute as one text; empty if absent."""
    value = tag.get(name)
    return "" if value is None else value if isinstance(value, str) else " ".join(value)


def is_dropped(tag: Tag) -> bool:
    """Whether an element and all in it is no content that a reader sees."""
    name = tag.name
    if name in DROPPED_TAGS:
        return True
    if not tag.attrs and name not in ("footer", "header", "aside", "a"):
        return False
    if is_hidden(tag):
        return True
    if name == "a":
        return _is_permalink(tag)
    if name in ("html", "body", "main", "article") or is_admonition(tag):
        return False
    return _is_chrome(tag) or attribute(tag, "role") in DROPPED_ROLES


def is_hidden(tag: Tag) -> bool:
    """Whether the page hides an element for good; the unselected panels of a tab bar can be seen."""
    attributes = tag.attrs
    if "hidden" in attributes and attributes["hidden"] != "until-found" and attributes.get("role") != "tabpanel":
        return True
    if attributes.get("aria-hidden") == "true":
        return True
    return "style" in attributes and HIDING_STYLE.search(attribute(tag, "style")) is not None


def _is_permalink(tag: Tag) -> bool:
    own = classes(tag)
    if not DROPPED_CLASSES.isdisjoint(own) or not LINK_CLASSES.isdisjoint(own):
        return True
    inside = list(islice(tag.descendants, 6))
    if len(inside) > 5:
        return False
    text = "".join(str(node) for node in inside if is_text(node)).strip()
    return text.lower() in LINK_SIGNS


def _is_chrome(tag: Tag) -> bool:
    """Whether names or place say that an element belongs to the site and not to the page."""
    own = classes(tag)
    if not DROPPED_CLASSES.isdisjoint(own) or attribute(tag, "id") in DROPPED_IDS:
        return True
    if "contents" in own and not {"topic", "local"}.isdisjoint(own):  # Docutils' table of contents
        return True
    if tag.name == "footer":
        return not _stands_in(tag, ("blockquote",))
    if tag.name not in ("header", "aside"):
        return False
    if not _stands_in(tag, ("article", "main", "section")):
        return True
    return tag.name == "aside" and _share_of_links(tag) > _LIKELY_SHARE


def _stands_in(tag: Tag, names: tuple[str, ...]) -> bool:
    return any(parent.name in names for parent in islice(tag.parents, MAX_LOOK))


def _share_of_links(tag: Tag) -> float:
    near = list(islice(tag.descendants, MAX_LOOK))
    whole = sum(len(node) for node in near if isinstance(node, NavigableString))
    found = [islice(node.strings, 5) for node in near if isinstance(node, Tag) and node.name == "a"]
    links = sum(len(text) for texts in found for text in texts)
    return links / max(whole, 1)


def is_admonition(tag: Tag) -> bool:
    """Whether an element is a note, warning and the like, which is kept whole."""
    if tag.name not in ("div", "aside", "section", "blockquote", "details"):
        return False
    own = classes(tag)
    if not ADMONITIONS.isdisjoint(own):
        return DROPPED_CLASSES.isdisjoint(own)
    return tag.name in ("div", "aside") and not ADMONITION_KINDS.isdisjoint(own)


def shown_strings(tag: Tag) -> Iterator[NavigableString]:
    """The texts below an element that a reader sees, in order; without recursion."""
    waiting = list(reversed(tag.contents))
    while waiting:
        node = waiting.pop()
        if isinstance(node, Tag):
            if not is_dropped(node):
                waiting.extend(reversed(node.contents))
        elif isinstance(node, NavigableString) and is_text(node):
            yield node


def is_text(node: object) -> bool:
    """Whether a node is text, not a comment, declaration or script."""
    return type(node) in (NavigableString, CData)


def content_roots(soup: BeautifulSoup) -> list[Tag]:
    """The elements that hold the page's content; the body (or all there is) if none stands out."""
    found: dict[int, list[Tag]] = {}
    for tag in soup.find_all(True):
        rank = _rank(tag)
        if rank is not None:
            found.setdefault(rank, []).append(tag)
    whole = -1
    for rank in sorted(found):
        roots = _outermost(found[rank])
        weight = sum(_weight(root) for root in roots)
        if weight and rank < _SURE_RANKS:
            return roots
        whole = _weight(soup.body or soup) if whole < 0 else whole
        if weight > whole * _LIKELY_SHARE:
            return roots
    return [soup.body or soup]


def _rank(tag: Tag) -> int | None:
    """How surely an element is the one that holds the content; 0 is best."""
    own = classes(tag)
    ranks = [CONTENT_CLASSES[name] for name in own if name in CONTENT_CLASSES]
    if tag.get("itemprop") == "articleBody":
        ranks.append(2)
    if tag.get("role") == "main" and "body" in own:
        ranks.append(3)
    if tag.get("role") == "main":
        ranks.append(4)
    if tag.name == "main":
        ranks.append(5)
    if tag.name == "article":
        ranks.append(6)
    if attribute(tag, "id") in LIKELY_IDS:
        ranks.append(7)
    if tag.name == "div" and not LIKELY_CLASSES.isdisjoint(own):
        ranks.append(8)
    return min(ranks, default=None)


def _weight(tag: Tag) -> int:
    return sum(len(text.strip()) for text in shown_strings(tag))


def _outermost(tags: list[Tag]) -> list[Tag]:
    """Without those inside another, and without those that are hidden."""
    chosen: list[Tag] = []
    inside: set[int] = set()
    for tag in tags:
        if id(tag) not in inside and not is_dropped(tag):
            chosen.append(tag)
            inside.update(id(node) for node in tag.descendants)
    return chosen
