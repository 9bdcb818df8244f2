"""The prompts, one file each, named by their use. Data only: ``generators.templates`` reads and renders them.

A prompt is a Jinja template with two blocks, ``system`` (instructions) and ``user`` (the documents, verbatim), and
constants set at its top. Copy one with ``factory prompts copy NAME`` and edit it.
"""
