"""The paper's experiments from data to figures, without Django: ``python -m scanning.experiments``.

Cells (:mod:`scanning.experiments.cells`) are computed one by one, on several processes or a
cluster, and kept as files; tables, claims, figures and the report are made of them afterwards.
"""
