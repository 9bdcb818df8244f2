"""The loss of a frozen head, some tokens at a time: logits are computed, used and forgotten, forward and back at once.

    answers(hidden, head, wanted) ─▶ summed cross-entropy;   drift(hidden, head, base_hidden) ─▶ summed divergence

A small model's vocabulary makes its logits the largest thing in memory, and on a CPU a quarter of a step is spent on
writing and reading them. Since the head is not trained, all that is needed of them is the gradient of what goes in,
which is known as soon as they are (the idea of Cut Cross-Entropy, arXiv 2411.09009). A head that does more than
multiply is asked for all its logits instead.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

# Logits that are held at once: 25 MB, which stays in a CPU's cache; a GPU wants more work at once.
_AT_ONCE = {"cpu": 3 << 21}
_AT_ONCE_ELSEWHERE = 1 << 27
# The gradient of a token's logits is its likelihoods less what they should be.
_Scored = tuple[Tensor, Tensor]


def answers(hidden: Tensor, head: nn.Module, wanted: Tensor) -> Tensor:
    """Cross-entropy, summed.

    Args:
        hidden: What goes into the head, (tokens, width).
        head: The model's output embedding.
        wanted: The right tokens, (tokens,).
    """
    if _plain(head):
        return _Answers.apply(hidden, head.weight, wanted)
    return functional.cross_entropy(head(hidden).float(), wanted, reduction="sum")


def drift(hidden: Tensor, head: nn.Module, base_hidden: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the distributions from those of the base, summed; no gradient goes to the base.

    Args:
        hidden: What goes into the head, (tokens, width).
        head: The model's output embedding.
        base_hidden: The same of the base.
    """
    if _plain(head):
        return _Drift.apply(hidden, head.weight, base_hidden.detach())
    likely = functional.log_softmax(head(base_hidden).float(), -1).detach()
    said = functional.log_softmax(head(hidden).float(), -1)
    return functional.kl_div(said, likely, reduction="sum", log_target=True)


def _plain(head: nn.Module) -> bool:
    """Whether the head does nothing but multiply by weights that are not trained."""
    return type(head) is nn.Linear and head.bias is None and not head.weight.requires_grad


class _Summed(torch.autograd.Function):  # type: ignore[misc]
    """Adds up the loss over parts of the tokens; ``scored`` says what a part's is."""

    @staticmethod
    def scored(part: Tensor, weight: Tensor, target: Tensor) -> _Scored:
        """The loss of each token of a part, and the gradient of its logits."""
        raise NotImplementedError

    @classmethod
    def forward(cls, ctx: Any, hidden: Tensor, weight: Tensor, target: Tensor) -> Tensor:  # noqa: ANN401
        """Sum the loss, and keep the gradient of ``hidden``."""
        given = hidden.to(weight.dtype)
        total = torch.zeros((), device=hidden.device)
        grad = torch.empty_like(given) if ctx.needs_input_grad[0] else None
        with torch.autocast(hidden.device.type, enabled=False):
            for part in _parts(given, weight):
                losses, excess = cls.scored(given[part], weight, target[part])
                total += losses.sum()
                if grad is not None:
                    torch.mm(excess.to(weight.dtype), weight, out=grad[part])
        ctx.grad, ctx.dtype = grad, hidden.dtype
        return total

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        """Scale the gradient that is known already."""
        return (ctx.grad * outer).to(ctx.dtype), None, None


class _Answers(_Summed):
    @staticmethod
    def scored(part: Tensor, weight: Tensor, target: Tensor) -> _Scored:
        said = _log_likely(part, weight)
        losses = -said.gather(1, target[:, None])
        likely = said.exp_()
        likely.scatter_add_(1, target[:, None], torch.full_like(losses, -1.0))
        return losses, likely


class _Drift(_Summed):
    @staticmethod
    def scored(part: Tensor, weight: Tensor, target: Tensor) -> _Scored:
        said, meant = _log_likely(part, weight), _log_likely(target.to(weight.dtype), weight)
        wanted = meant.exp()
        losses = (wanted * (meant - said)).sum(-1)
        return losses, said.exp_().sub_(wanted)


def _log_likely(part: Tensor, weight: Tensor) -> Tensor:
    """Log-likelihoods of all tokens of the vocabulary, float32."""
    return torch.log_softmax((part @ weight.t()).float(), -1)


def _parts(given: Tensor, weight: Tensor) -> Iterator[slice]:
    size = max(1, _AT_ONCE.get(given.device.type, _AT_ONCE_ELSEWHERE) // len(weight))
    for first in range(0, len(given), size):
        yield slice(first, first + size)
