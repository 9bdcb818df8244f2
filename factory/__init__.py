"""The product: turn a folder of internal documents into a small model that answers questions about them.

    docs ─▶ chunks ─▶ teacher replies ─▶ pairs ─▶ filters ─▶ dataset version

Stages stand in ``generators``, ``filters`` and ``trainers``; here they are joined (``pipeline``), settled (``config``),
published (``store``), shown (``report``) and given a command line (``cli``).
"""

__version__ = "0.1.0"
