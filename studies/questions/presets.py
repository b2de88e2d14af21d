"""Questions that a study can take as they are."""

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "creativity_likert": {
        "key": "creativity",
        "kind": "likert",
        "text": "How creative is this image?",
        "options": {"points": 7, "low": "Not at all creative", "high": "Extremely creative"},
    },
    # Novelty and value: the two parts of the standard definition of creativity
    # (Runco & Jaeger, 2012, doi:10.1080/10400419.2012.650092).
    "novelty_likert": {
        "key": "novelty",
        "kind": "likert",
        "text": "How novel is this image?",
        "options": {"points": 7, "low": "Not at all novel", "high": "Extremely novel"},
    },
    "value_likert": {
        "key": "value",
        "kind": "likert",
        "text": "How valuable is this image?",
        "options": {"points": 7, "low": "Not at all valuable", "high": "Extremely valuable"},
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
    "creativity_vas": {
        "key": "creativity_vas",
        "kind": "slider",
        "text": "How creative is this image?",
        "options": {"low": "Not at all creative", "high": "Extremely creative"},
    },
    "pairwise_tournament": {
        "key": "more_creative",
        "kind": "forced_choice",
        "text": "Which image is more creative?",
        "options": {},
    },
    "best_worst_creativity": {
        "key": "best_worst",
        "kind": "best_worst",
        "text": "Which of these images is the most creative, and which the least?",
        "options": {"k": 4, "best": "Most creative", "worst": "Least creative"},
    },
    # Consensual assessment (Amabile, 1982, doi:10.1037/0022-3514.43.5.997): judges go by their
    # own sense of creativity, and rate technical quality apart from it.
    "consensual_creativity": {
        "key": "consensual_creativity",
        "kind": "likert",
        "text": "By your own sense of what is creative, how creative is this image?",
        "options": {"points": 7, "low": "Very low", "high": "Very high"},
    },
    "consensual_technical": {
        "key": "technical",
        "kind": "likert",
        "text": "How well is this image made, apart from how creative it is?",
        "options": {"points": 7, "low": "Very badly", "high": "Very well"},
    },
}
