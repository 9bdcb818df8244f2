"""A linear layer and its LoRA adapter as one function, forward and back, for a CPU.

    use_one_function(adapted model) ─▶ the number of layers that compute so

peft computes base and adapter apart, scales and adds what they give, and autograd does all of it backwards once more:
several passes over the widest tensors. Here the adapter's product is added by the multiplication itself. The same sums,
in the base's type; peft's own way is taken wherever anything but one plain adapter is in play.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_ADAPTER = "default"


def use_one_function(adapted: Any) -> int:  # noqa: ANN401 - packages without types
    """Let every plain layer with a LoRA adapter compute so; layers of quantised bases are left alone."""
    from peft.tuners.lora import Linear

    layers = [module for module in adapted.modules() if type(module) is Linear and _plain(module)]
    for layer in layers:
        layer.forward = _forward_of(layer, layer.forward)
    return len(layers)


def _plain(layer: Any) -> bool:  # noqa: ANN401
    """Whether the layer is a multiplication with one adapter that does nothing but multiply."""
    return (
        type(layer.get_base_layer()) is nn.Linear
        and list(layer.lora_A) == [_ADAPTER]
        and isinstance(layer.lora_dropout[_ADAPTER], nn.Identity)
        and layer.lora_A[_ADAPTER].bias is None
        and layer.lora_B[_ADAPTER].bias is None
        and not layer.lora_variant
    )


def _forward_of(layer: Any, own: Any) -> Any:  # noqa: ANN401
    def forward(given: Tensor, *args: Any, **kwargs: Any) -> Tensor:  # noqa: ANN401
        if layer.disable_adapters or layer.merged or layer.active_adapters != [_ADAPTER] or args or kwargs:
            return own(given, *args, **kwargs)
        base = layer.get_base_layer()
        into, out = layer.lora_A[_ADAPTER].weight, layer.lora_B[_ADAPTER].weight
        return _Adapted.apply(given, base.weight, base.bias, into, out, layer.scaling[_ADAPTER])

    return forward


class _Adapted(torch.autograd.Function):  # type: ignore[misc]
    """given · weightᵀ + bias + scale · (given · intoᵀ) · outᵀ; weight and bias are frozen."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        given: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        into: Tensor,
        out: Tensor,
        scale: float,
    ) -> Tensor:
        """Compute in the type of the weights."""
        flat = given.reshape(-1, given.shape[-1]).to(weight.dtype)
        into, out = into.to(weight.dtype), out.to(weight.dtype)
        with torch.autocast(given.device.type, enabled=False):
            narrow = flat @ into.t()
            found = functional.linear(flat, weight, bias)
            found.addmm_(narrow, out.t(), alpha=scale)
        ctx.save_for_backward(flat, weight, into, out, narrow)
        ctx.scale, ctx.shape, ctx.dtype = scale, given.shape, given.dtype
        return found.view(*given.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, None, None, Tensor, Tensor, None]:  # noqa: ANN401
        """The adapter's gradients in float32, as its weights are."""
        flat, weight, into, out, narrow = ctx.saved_tensors
        outer = outer.reshape(-1, outer.shape[-1]).to(weight.dtype)
        back = (outer @ out).mul_(ctx.scale)
        grad = None
        if ctx.needs_input_grad[0]:
            grad = (outer @ weight).addmm_(back, into).view(ctx.shape).to(ctx.dtype)
        return grad, None, None, (back.t() @ flat).float(), (outer.t() @ narrow).mul_(ctx.scale).float(), None
