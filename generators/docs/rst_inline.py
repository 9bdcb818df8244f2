"""Inline markup of a docutils tree, written as Markdown: text-level nodes -> one string.

Line breaks stay where the source has them, so that a quote from the source is still found.
"""

from collections.abc import Mapping

from docutils import nodes

from generators.docs import marks

# A substitution that grows beyond this, by substituting others, is left as its name.
_LONGEST_SUBSTITUTION = 2_000


class InlineWriter:
    """Writes text-level nodes of one document, whose links, labels and substitutions it knows."""

    def __init__(self, document: nodes.document) -> None:
        self._definitions: Mapping[str, nodes.Element] = document.substitution_defs
        self._substitutions: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        self._titles: dict[str, str] = {}
        self._collect_targets(document)

    def plain(self, node: nodes.Element) -> str:
        """The text on one line, without markup."""
        return " ".join(self.write(node, plain=True).split())

    def write(self, node: nodes.Element, *, plain: bool = False) -> str:
        """The text of all children with its inline markup."""
        return "".join(self._child(child, plain) for child in node.children)

    def _child(self, node: nodes.Node, plain: bool) -> str:
        match node:
            case nodes.Text():
                return node.astext()
            case nodes.substitution_reference():
                return self._substitution(node)
            case nodes.image():
                return str(node["alt"])
            case nodes.footnote_reference() | nodes.citation_reference():
                return f"[{node.astext()}]" if node.children else ""
            case nodes.Element():
                text = self.write(node, plain=plain)
                return text if plain else self._marked_up(node, text)
        return ""

    def _marked_up(self, node: nodes.Element, text: str) -> str:
        match node:
            case nodes.literal() | nodes.title_reference():
                return marks.code(text)
            case nodes.emphasis():
                return f"*{text}*"
            case nodes.strong():
                return f"**{text}**"
            case nodes.math():
                return f"${text}$"
            case nodes.inline():
                return self._titles.get(node.get("label", "").lower(), text)
            case nodes.reference():
                address = node.get("refuri") or self._addresses.get(node.get("refname", ""), "")
                return f"[{text}]({address})" if "://" in address and address != text else text
        return text

    def _substitution(self, node: nodes.substitution_reference) -> str:
        """What ``|name|`` stands for; itself where that is unknown, refers to itself or is too long."""
        shown = f"|{node.astext()}|"
        name = str(node["refname"])
        definition = self._definitions.get(name) or self._definitions.get(name.lower())
        if definition is None:
            return shown
        if name not in self._substitutions:
            self._substitutions[name] = shown
            text = self.write(definition)
            self._substitutions[name] = text if len(text) <= _LONGEST_SUBSTITUTION else shown
        return self._substitutions[name]

    def _collect_targets(self, document: nodes.document) -> None:
        """Learn the addresses that names stand for, and which label stands before which title."""
        labels: list[str] = []
        nameless: list[nodes.reference] = []
        for node in document.findall(nodes.Element):
            if isinstance(node, nodes.target):
                if "refuri" in node:
                    self._addresses.update(dict.fromkeys(node["names"], node["refuri"]))
                    if node.get("anonymous") and nameless:  # nameless references and targets pair up in order
                        nameless.pop(0)["refuri"] = node["refuri"]
                else:
                    labels += node["names"]
            elif isinstance(node, nodes.title):
                self._titles.update(dict.fromkeys(labels, node.astext()))
                labels.clear()
            elif isinstance(node, nodes.paragraph):
                labels.clear()
            elif isinstance(node, nodes.reference) and node.get("anonymous") and "refuri" not in node:
                nameless.append(node)
