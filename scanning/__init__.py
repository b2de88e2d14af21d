"""Subset scanning of neural activations, for single images and for groups of images.

Importing this package loads neither Django nor torch. Networks, their training and the
capture of activations live in :mod:`scanning.generative` and :mod:`scanning.activations`.
"""

from scanning.group import scan_group
from scanning.individual import scan_images
from scanning.pvalues import TAILS, Background
from scanning.results import GroupScan, ImageScan
from scanning.statistics import STATISTICS, berk_jones, higher_criticism, kolmogorov_smirnov

__all__ = [
    "STATISTICS",
    "TAILS",
    "Background",
    "GroupScan",
    "ImageScan",
    "berk_jones",
    "higher_criticism",
    "kolmogorov_smirnov",
    "scan_group",
    "scan_images",
]
