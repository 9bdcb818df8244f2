"""The dataset card of a version: what the Hub shows, and what lets ``load_dataset`` open the folder as it is.

name + manifest ─▶ README.md
"""

import json
from collections.abc import Mapping
from typing import Any

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def dataset_card(name: str, manifest: Mapping[str, Any]) -> str:
    """Write the card; splits without a row are left out of its configuration, for ``load_dataset`` refuses them."""
    splits: Mapping[str, int] = manifest["splits"]
    accepted = manifest["pairs"]["accepted"]
    size = next((label for limit, label in _SIZES if accepted < limit), "n>1M")
    # JSON strings are YAML strings: a folder name with a quote or a colon in it breaks nothing.
    files = "\n".join(f"  - split: {split}\n    path: {split}.jsonl" for split, count in splits.items() if count)
    documents = len(manifest["documents"])
    rejected = (
        "\n".join(f"| {reason} | {count} |" for reason, count in manifest["pairs"]["rejected"].items()) or "| – | 0 |"
    )
    return f"""---
pretty_name: {json.dumps(_printable(f"Questions and answers about {name}"), ensure_ascii=False)}
task_categories:
- question-answering
- text-generation
size_categories:
- {size}
tags:
- synthetic
configs:
- config_name: default
  data_files:
{files}
---

# Questions and answers about {_plain(name)}

{accepted} question–answer pairs from {documents} documents, written by `{_plain(manifest["teacher"])}` with the prompt
`{_plain(manifest["template"]["name"])}`, filtered and split by `factory` {manifest["versions"]["factory"]}
on {manifest["created"]}.

| split | rows |
|---|---|
{chr(10).join(f"| {split} | {count} |" for split, count in splits.items())}

`test` holds rows about documents that are held out whole (`unseen`) and other wordings of trained facts (`seen`);
`provenance.jsonl` tells which, and for every row its document, lines, quotes and teacher; a row that several sections
answer has `sources` too: document, chunk and lines of each of its quotes. Rejected pairs, with their reasons, are in
`rejected.jsonl`:

| reason | pairs |
|---|---|
{rejected}

**Terms.** {manifest["terms"]}
"""


def _printable(text: str) -> str:
    """Text from outside, without what YAML forbids: control characters and halves of characters."""
    return "".join(character if character.isprintable() else "�" for character in text)


def _plain(text: str) -> str:
    """Text from outside, without what would act in Markdown or HTML."""
    plain = _printable(text).replace("&", "&amp;").replace("<", "&lt;").replace("`", "'").replace("|", "/")
    return plain.replace("[", "(").replace("]", ")")
