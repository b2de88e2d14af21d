"""How well a scan's scores and sizes tell creative images from normal ones."""

from typing import Any

import numpy as np

from studies.models import Process, Scan
from studies.stats import auc


def detection_power(*, scan: Scan) -> list[dict[str, Any]]:
    """Area under the ROC curve of score and of size, creative against normal.

    Empty where the scan holds no image of one of the two; control images are left out.
    """
    rows = list(
        scan.results.filter(image__process__in=[Process.CREATIVE, Process.NORMAL])
        .order_by("image_id")
        .values_list("image__process", "score", "size")
    )
    creative = np.array([process == Process.CREATIVE for process, _, _ in rows], dtype=bool)
    if not creative.any() or creative.all():
        return []
    measures = {"score": [row[1] for row in rows], "size": [row[2] for row in rows]}
    return [
        {"measure": name, **auc(np.array(values, dtype=float), creative).to_dict()}
        for name, values in measures.items()
    ]
