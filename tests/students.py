"""Tiny bases for the tests of training: random weights of two layers, a tokenizer made here, nothing fetched."""

import json

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
WORDS = "The limit of a key is per project and the call fails beyond it. What does the service say about errors? "


def tiny_tokenizer(template=CHATML):
    """Byte-level BPE with the three special tokens of ChatML."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([WORDS], trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", bos_token="<|im_start|>"
    )
    made.chat_template = template
    return made


def write_base(folder, seed=0, template=CHATML):
    """A Llama of two layers and hidden size 64, as a folder of safetensors.

    Its embeddings are also its head and stay frozen: at the usual 0.02 no adapter could make it sure of a token.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tiny_tokenizer(template)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
        bos_token_id=1, eos_token_id=tokenizer.eos_token_id, pad_token_id=0, tie_word_embeddings=True,
        initializer_range=0.2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def chat(number):
    """A row about a made-up limit."""
    extra = " It is counted per project and reset at midnight." * (number % 4)
    return [
        {"role": "system", "content": "You are a helpful assistant for 'Quayline'."},
        {"role": "user", "content": f"What is the limit of `key_{number}`?"},
        {"role": "assistant", "content": f"The limit of `key_{number}` is {number * 7}.{extra}"},
    ]


def write_rows(path, numbers):
    """Write rows as a split's JSONL."""
    path.write_text("".join(json.dumps({"messages": chat(number)}) + "\n" for number in numbers))


def publish_rows(root, train=range(40), validation=range(40, 46)):
    """A workspace with one version of made-up rows."""
    from factory.store import Row, Workspace
    from filters.holdout import Place
    from generators.records import Chunk, Pair

    rows, chunks, system = [], [], chat(0)[0]["content"]
    for split, numbers in (("train", train), ("validation", validation)):
        for number in numbers:
            _, question, answer = (turn["content"] for turn in chat(number))
            # Validation may hold the same questions: nothing but training is looked at.
            name = f"{split}-{number:04d}"
            pair = Pair(name, f"f{number}", question, answer, (answer,), "limit", f"c{number}", "local/x", "t")
            rows.append(Row(pair, Place(split, ""), "limits.md", "1-2"))
            text = f"# Limits\n\n{answer}"
            chunks.append(Chunk(f"c{number}", "limits.md", ("Limits",), text, 1, 2, 12))
    manifest = {"system_prompt": system, "teacher": "local/x", "terms": "The licence of the local model applies."}
    Workspace(root).publish(rows, (), manifest, "card", system, chunks)
    return root
