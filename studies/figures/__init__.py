"""Figures of a rating study: frames and results in, Altair charts out."""

from .distribution import size_distribution
from .labels import label_shares
from .render import render, spec
from .scatter import rating_scatter
from .theme import theme

__all__ = ["label_shares", "rating_scatter", "render", "size_distribution", "spec", "theme"]
