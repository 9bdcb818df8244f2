"""trl's SFTTrainer, with our order of rows, a loss computed on the answers only, and a guard at every step.

    trainer_for(model, tokenizer, rows, …) ─▶ an SFTTrainer: its checkpoints, resume and logging are trl's own

On a GPU trl's fused loss already computes logits for trained tokens only; elsewhere it computes them for every token,
which for a small model with a large vocabulary is a third of the work. So ours is used there.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from trainers.order import LengthOrder
from trainers.sft_data import IGNORED, Encoded

# Models that scale or bend their logits: their own head knows how, ours does not.
_SPECIAL_HEADS = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier", "output_multiplier")


class AnswerTrainer:
    """Mixed into ``SFTTrainer`` by ``trainer_for``; the methods are transformers' and trl's own hooks."""

    model: Any
    accelerator: Any
    args: Any
    order: LengthOrder
    losses: list[Any]
    own_loss: bool

    def compute_loss(
        self,
        model: Any,  # noqa: ANN401
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Mean cross-entropy of the trained tokens of the whole step, on whatever number of micro-batches."""
        parent: Any = super()
        if return_outputs or not self.own_loss:
            inputs.pop("rehearsed", None)
            return parent.compute_loss(
                model, inputs, return_outputs=return_outputs, num_items_in_batch=num_items_in_batch
            )
        summed, count = model(**inputs, answers_only=True)
        if num_items_in_batch is None:
            return summed / max(1, count)
        share = self.accelerator.num_processes if self.args.average_tokens_across_devices else 1
        return summed / num_items_in_batch * share

    def training_step(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Keep the loss for the guard."""
        parent: Any = super()
        loss = parent.training_step(*args, **kwargs)
        self.losses.append(loss)
        return loss

    def prediction_step(
        self,
        model: Any,  # noqa: ANN401
        inputs: dict[str, Any],
        prediction_loss_only: bool,
        ignore_keys: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """The loss of a batch of validation, without the logits of what is not trained."""
        import torch

        parent: Any = super()
        if not (self.own_loss and prediction_loss_only):
            return parent.prediction_step(model, inputs, prediction_loss_only, ignore_keys=ignore_keys)
        with torch.no_grad(), parent.compute_loss_context_manager():
            loss = self.compute_loss(model, parent._prepare_inputs(inputs))
        return loss.detach(), None, None

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """A checkpoint needs no card."""

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthOrder:  # noqa: ANN401, ARG002
        return self.order

    def _send_telemetry(self) -> None:
        """Nothing about a run on internal documents is anybody's business."""


def trainer_for(
    model: Any,  # noqa: ANN401
    tokenizer: Any,  # noqa: ANN401
    train: Sequence[Encoded],
    validation: Sequence[Encoded],
    order: LengthOrder,
    settings: dict[str, Any],
    callbacks: list[Any],
) -> Any:  # noqa: ANN401
    """Make the trainer; ``settings`` are ``SFTConfig``'s."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from trainers.lora_linear import use_one_function
    from trainers.short_attention import use_short_attention

    trainer_class: Any = type("AnswerSFTTrainer", (AnswerTrainer, SFTTrainer), {"__module__": __name__})
    trainer = trainer_class(
        model=model,
        args=SFTConfig(
            **settings, dataset_kwargs={"skip_prepare_dataset": True}, max_length=None, remove_unused_columns=False
        ),
        train_dataset=Dataset.from_list(_columns(train)),
        eval_dataset=Dataset.from_list(_columns(validation)),
        processing_class=tokenizer,
        callbacks=callbacks,
    )
    trainer.order, trainer.losses = order, []
    trainer.remove_callback(PrinterCallback)  # it prints to stdout, where our results go
    for parameter in model.parameters():  # trl rounds adapters on quantised bases
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    text_config = model.config.get_text_config()
    special = any(getattr(text_config, name, None) for name in _SPECIAL_HEADS)
    rehearsing = any(row.rehearsed for row in train)
    trainer.own_loss = rehearsing or (trainer.accelerator.device.type != "cuda" and not special)
    if trainer.own_loss:
        _score_answers_only(model)
    if trainer.accelerator.device.type == "cpu":
        use_one_function(model)
        use_short_attention(model.get_base_model())
    trainer.data_collator = _marking(trainer.data_collator)
    return trainer


@contextmanager
def fast_adapter(model: Any, *, autocast: bool) -> Iterator[None]:  # noqa: ANN401
    """Let autocast compute the float32 adapter in bfloat16; peft would widen every layer's input instead.

    Measured on SmolLM2-135M, rank 64, one core: 208 tokens a second against 97.
    """
    from peft.helpers import disable_input_dtype_casting

    with disable_input_dtype_casting(model, active=autocast):
        yield


def _columns(rows: Sequence[Encoded]) -> list[dict[str, Any]]:
    return [{"input_ids": list(row.ids), "labels": row.labels, "rehearsed": row.rehearsed} for row in rows]


def _marking(collate: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> Callable[[list[dict[str, Any]]], Any]:
    """A collator that also says which rows of a batch are rehearsed."""
    import torch

    def marked(rows: list[dict[str, Any]]) -> dict[str, Any]:
        return {**collate(rows), "rehearsed": torch.tensor([bool(row.get("rehearsed")) for row in rows])}

    return marked


def _score_answers_only(adapted: Any) -> None:  # noqa: ANN401
    """Teach the model's ``forward`` to return the summed loss of the trained tokens and their number.

    It is part of ``forward`` because wrappers, such as those for several GPUs, see only that.
    """
    base = adapted.get_base_model()
    inner = base.forward

    def forward(*args: Any, answers_only: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401
        return answers_loss(adapted, **kwargs) if answers_only else inner(*args, **kwargs)

    base.forward = forward


def answers_loss(adapted: Any, labels: Any, rehearsed: Any, **inputs: Any) -> tuple[Any, int]:  # noqa: ANN401
    """Cross-entropy of the trained tokens, summed, and their number.

    A rehearsed row's loss is the divergence of the student's distribution from its base's, which is the same model with
    the adapter left out (learning without forgetting, arXiv 1606.09282).
    """
    import torch

    from trainers.head_loss import answers, drift

    head = adapted.get_base_model().get_output_embeddings()
    kept = labels[:, 1:] != IGNORED
    wanted, hidden = labels[:, 1:][kept], _hidden(adapted, kept, inputs)
    if not bool(rehearsed.any()):
        return answers(hidden, head, wanted), wanted.numel()
    with torch.no_grad(), adapted.disable_adapter():
        rows = {name: values[rehearsed] for name, values in inputs.items() if values is not None}
        likely = _hidden(adapted, kept[rehearsed], rows)
    soft = rehearsed[:, None].expand_as(kept)[kept]
    return answers(hidden[~soft], head, wanted[~soft]) + drift(hidden[soft], head, likely), wanted.numel()


def _hidden(adapted: Any, kept: Any, inputs: dict[str, Any]) -> Any:  # noqa: ANN401
    """What goes into the head for the tokens that follow the marked places."""
    model = adapted.get_base_model()
    return model.base_model(**{**inputs, "use_cache": False}).last_hidden_state[:, :-1][kept]
