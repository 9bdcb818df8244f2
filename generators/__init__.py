"""From documents to question–answer pairs: read, cut into chunks, ask a teacher, parse its replies.

    documents ─▶ blocks ─▶ chunks ─▶ requests ─▶ replies (journal) ─▶ pairs and rejects

Everything here can be used as a library; the command line stands in ``factory``, which nothing here imports.
"""
