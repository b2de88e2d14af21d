"""Figures of a rating study: frames and results in, Altair charts out."""

from .distribution import size_distribution
from .flow import Step, participant_flow
from .forest import Panel, Row, forest
from .image_maps import MappedImage, image_maps
from .labels import label_shares
from .node_maps import NodeMap, node_map
from .null_scores import null_histogram
from .planning import plan_curves
from .render import FORMATS, Format, render, spec
from .scatter import rating_scatter
from .specification import specification_curve
from .theme import theme

__all__ = [
    "FORMATS",
    "Format",
    "MappedImage",
    "NodeMap",
    "Panel",
    "Row",
    "Step",
    "forest",
    "image_maps",
    "label_shares",
    "node_map",
    "null_histogram",
    "participant_flow",
    "plan_curves",
    "rating_scatter",
    "render",
    "size_distribution",
    "spec",
    "specification_curve",
    "theme",
]
