"""Figures of the experiments: rows in, Altair charts out, and those as SVG and PNG."""

from scanning.experiments.figures.dots import dots
from scanning.experiments.figures.heat import heat
from scanning.experiments.figures.lines import lines
from scanning.experiments.figures.theme import render

__all__ = ["dots", "heat", "lines", "render"]
