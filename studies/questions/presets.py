"""Questions that a study can take as they are."""

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "creativity_likert": {
        "key": "creativity",
        "kind": "likert",
        "text": "How creative is this image?",
        "options": {"points": 7, "low": "Not at all creative", "high": "Extremely creative"},
    },
    # The labels of Das et al. (2020), Toward a Neuro-inspired Creative Decoder, arXiv 1902.02399.
    "four_labels": {
        "key": "label",
        "kind": "categorical",
        "text": "Which label fits this image best?",
        "options": {
            "labels": [
                {"value": "not_novel_or_creative", "label": "Not novel or creative"},
                {"value": "novel_not_creative", "label": "Novel but not creative"},
                {"value": "creative", "label": "Creative"},
                {"value": "inconclusive", "label": "Inconclusive"},
            ],
            "positive": "creative",
            "undecided": ["inconclusive"],
        },
    },
}
