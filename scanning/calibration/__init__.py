"""p-values of scan scores from the scores of normal images.

The activations of one image depend strongly on one another, so the score of a scan has no
null distribution that could be written down. It is taken from normal held-out images instead:
images generated like those of the background, in neither the background nor the test.
"""

from scanning.calibration.groups import NULLS, GroupCalibration, calibrate_group
from scanning.calibration.images import ImageCalibration, calibrate_images

__all__ = ["NULLS", "GroupCalibration", "ImageCalibration", "calibrate_group", "calibrate_images"]
