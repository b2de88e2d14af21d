"""How well scans tell creative images from normal ones, and whether their nodes differ.

All intervals are percentile bootstrap intervals. Where every resample gives the same value, as
for an AUC of 1, the interval has no width: it then says nothing about what more data would show.
Estimates over groups resample groups that were drawn from the same images, so their intervals
hold for these images, not for new ones.
"""

from scanning.detection.bootstrap import Estimate, auc
from scanning.detection.groups import GroupDetection, detect_groups
from scanning.detection.images import ImageDetection, detect_images
from scanning.detection.overlap import NodeOverlap, node_overlap

__all__ = [
    "Estimate",
    "GroupDetection",
    "ImageDetection",
    "NodeOverlap",
    "auc",
    "detect_groups",
    "detect_images",
    "node_overlap",
]
