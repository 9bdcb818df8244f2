"""From a published dataset to a student: LoRA fine-tuning and scoring.

    dataset version ─▶ adapter ─▶ verdict

Imports ``generators`` and ``prompts``, never ``filters`` or ``factory``.
"""
