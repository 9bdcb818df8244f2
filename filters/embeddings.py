"""Texts as vectors whose cosine tells how alike they are in meaning, by a small model on this machine.

    embedder().embed(["How do I rotate a key?", …]) ─▶ unit vectors, a row a text

all-MiniLM-L6-v2 (22 million parameters): the mean of its last layer over the text's tokens. Weights, tokenizer and
configuration stand in one archive of the model table; torch and transformers are imported when the first text comes.
"""

import json
import zipfile
from collections.abc import Sequence
from functools import cached_property, lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.errors import MissingExtraError
from generators.models import find_model, local_path

_PACKAGES = ("safetensors", "tokenizers", "torch", "transformers")
MODEL = "all-minilm-l6-v2"
Vectors = NDArray[np.float32]
_MOST_TOKENS = 256  # the model was trained on no more
_AT_ONCE = 64


def check_installed() -> None:
    """``MissingExtraError`` if a package is not there; imports none."""
    if not all(map(find_spec, _PACKAGES)):
        raise MissingExtraError("comparing pairs by meaning", "semantic")


def what_is_missing() -> str:
    """What a person has to run before texts can be embedded without fetching anything; empty if nothing."""
    try:
        check_installed()
    except MissingExtraError as error:
        return str(error)
    return "" if find_model(MODEL).cached else f"comparing pairs by meaning needs a model: factory models pull {MODEL}"


@lru_cache(maxsize=1)
def embedder() -> "Embedder":
    """The one of this process: a run that asks in rounds judges the same pairs several times."""
    return Embedder()


class Embedder:
    """Opens the model when it is first needed, and remembers what it embedded."""

    def __init__(self) -> None:
        self._known: dict[str, Vectors] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts, those of like length together."""
        fresh = sorted({*texts} - self._known.keys(), key=lambda text: (len(text), text))
        for first in range(0, len(fresh), _AT_ONCE):
            part = fresh[first : first + _AT_ONCE]
            tokenizer, model = self._opened
            # A lone surrogate, which has no UTF-8, is read as a version shows it.
            readable = [text.encode("utf-8", "backslashreplace").decode() for text in part]
            found = _means(model, tokenizer.encode_batch(readable))
            units = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.float32(1e-9))
            self._known.update(zip(part, units, strict=True))
        return np.stack([self._known[text] for text in texts]).astype(np.float32)

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        """Tokenizer and model, of the archive in the cache; fetched first if it is not there."""
        check_installed()
        from safetensors.torch import load
        from tokenizers import Tokenizer
        from transformers import BertConfig, BertModel

        with zipfile.ZipFile(local_path(MODEL)) as archive:
            config = BertConfig(**json.loads(archive.read("config.json")))
            tokenizer = Tokenizer.from_str(archive.read("tokenizer.json").decode())
            weights = load(archive.read("model.safetensors"))
        tokenizer.enable_truncation(_MOST_TOKENS)
        tokenizer.enable_padding()
        model = BertModel(config, add_pooling_layer=False)
        # What is not of the encoder (the pooler, position numbers) is not used.
        model.load_state_dict(weights, strict=False)
        return tokenizer, model.eval()


def _means(model: Any, encoded: Sequence[Any]) -> Vectors:  # noqa: ANN401 - a torch module
    """The mean of the last layer over each text's own tokens."""
    import torch

    tokens = torch.tensor([each.ids for each in encoded])
    mask = torch.tensor([each.attention_mask for each in encoded])
    with torch.inference_mode():
        states = model(input_ids=tokens, attention_mask=mask).last_hidden_state
    held = mask.unsqueeze(-1)
    found: Vectors = ((states * held).sum(1) / held.sum(1)).numpy()
    return found
