"""Attention over short rows on a CPU: the whole matrix at once, which beats the fused kernel up to some hundred tokens.

    use_short_attention(model) ─▶ the model attends so in rows of up to ``LONGEST`` tokens, and as before in longer ones

PyTorch's fused attention saves memory that short rows do not need, and its way back on a CPU reaches a sixth of what
plain products do there. The heads that share a key are one product, so that no key is copied for them. It computes the
same function; in bfloat16 the two round differently.
"""

from typing import Any

import torch
from torch import Tensor

LONGEST = 512
_NAME = "short"
# A layer that is given one of these attends in a way of its own.
_OWN_WAYS = ("softcap", "s_aux", "position_bias", "cache", "output_attentions")


def use_short_attention(model: Any) -> None:  # noqa: ANN401 - packages without types
    """Let a model attend so; one that brings attention of its own keeps it."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    if model.config.get_text_config()._attn_implementation != "sdpa":
        return
    AttentionInterface.register(_NAME, short_attention)
    AttentionMaskInterface.register(_NAME, sdpa_mask)
    model.set_attn_implementation(_NAME)


def short_attention(
    module: Any,  # noqa: ANN401
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **ways: Any,  # noqa: ANN401
) -> tuple[Tensor, None]:
    """Attend, as transformers' ``AttentionInterface`` wants it.

    Args:
        module: The layer.
        query: (rows, heads, tokens, width).
        key: (rows, heads that are shared, tokens, width).
        value: Likewise.
        attention_mask: True where a token may look, (rows, 1, tokens, tokens); ``None`` for all that came before it.
        dropout: Share of the weights that are dropped.
        scaling: Of the products; by the width if ``None``.
        ways: What else transformers hands on.
    """
    rows, heads, length, width = query.shape
    fits = length <= LONGEST and key.shape[2] == length and key.shape == value.shape
    alike = query.dtype == key.dtype == value.dtype
    causal = attention_mask is None and ways.get("is_causal", True) is not False and getattr(module, "is_causal", True)
    masked = attention_mask is not None and attention_mask.dtype == torch.bool
    if dropout or not (fits and alike and (causal or masked)) or any(ways.get(name) for name in _OWN_WAYS):
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        kept: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **ways
        )
        return kept
    shared = key.shape[1]
    together = (rows * shared, -1, width)
    scaled = query * (width**-0.5 if scaling is None else scaling)
    with torch.autocast(query.device.type, enabled=False):
        products = torch.bmm(scaled.reshape(together), key.reshape(together).transpose(1, 2))
        products = products.view(rows, shared, heads // shared, length, length)
        weights = torch.softmax(products.add_(_barred(attention_mask, products)), -1)
        heard = torch.bmm(weights.view(rows * shared, -1, length), value.reshape(together))
    return heard.view(rows, heads, length, width).transpose(1, 2).contiguous(), None


def _barred(mask: Tensor | None, products: Tensor) -> Tensor:
    """What is added to the products: nothing where a token may look, very much less than nothing elsewhere."""
    length = products.shape[-1]
    if mask is None:
        mask = torch.ones(1, 1, length, length, dtype=torch.bool, device=products.device).tril_()
    barred = torch.zeros(mask.shape, dtype=products.dtype, device=products.device)
    return barred.masked_fill_(~mask, torch.finfo(products.dtype).min)[:, :, None]
