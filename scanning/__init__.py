"""Subset scanning of neural activations, for single images and for groups of images.

Importing this package loads neither Django nor torch. Networks, their training and the
capture of activations live in :mod:`scanning.generative` and :mod:`scanning.activations`;
``python -m scanning`` is the command line.
"""

from scanning.calibration import (
    GroupCalibration,
    ImageCalibration,
    calibrate_group,
    calibrate_images,
)
from scanning.cluster import (
    LayerScan,
    fan_out,
    scan_image_blocks,
    scan_layers,
    scan_seeds,
)
from scanning.detection import (
    Estimate,
    GroupDetection,
    ImageDetection,
    NodeOverlap,
    auc,
    detect_groups,
    detect_images,
    node_overlap,
)
from scanning.group import scan_group
from scanning.individual import scan_images
from scanning.pvalues import TAILS, Background, RankedPvalues
from scanning.results import GroupScan, ImageScan
from scanning.statistics import STATISTICS, berk_jones, higher_criticism, kolmogorov_smirnov

__all__ = [
    "STATISTICS",
    "TAILS",
    "Background",
    "Estimate",
    "GroupCalibration",
    "GroupDetection",
    "GroupScan",
    "ImageCalibration",
    "ImageDetection",
    "ImageScan",
    "LayerScan",
    "NodeOverlap",
    "RankedPvalues",
    "auc",
    "berk_jones",
    "calibrate_group",
    "calibrate_images",
    "detect_groups",
    "detect_images",
    "fan_out",
    "higher_criticism",
    "kolmogorov_smirnov",
    "node_overlap",
    "scan_group",
    "scan_image_blocks",
    "scan_images",
    "scan_layers",
    "scan_seeds",
]
