"""Figures of a rating study: frames and results in, Altair charts out."""

from .distribution import size_distribution
from .labels import label_shares
from .null_scores import null_histogram
from .planning import plan_curves
from .render import FORMATS, Format, render, spec
from .scatter import rating_scatter
from .specification import specification_curve
from .theme import theme

__all__ = [
    "FORMATS",
    "Format",
    "label_shares",
    "null_histogram",
    "plan_curves",
    "rating_scatter",
    "render",
    "size_distribution",
    "spec",
    "specification_curve",
    "theme",
]
