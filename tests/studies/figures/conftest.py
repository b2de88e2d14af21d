"""A small made-up study to draw."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def images() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    process = np.repeat(["normal", "creative"], 20)
    size = np.where(process == "normal", 120, 260) + rng.normal(0, 40, 40).round()
    rating = np.clip(2 + size / 100 + rng.normal(0, 0.6, 40), 1, 7)
    return pd.DataFrame(
        {
            "image": [f"image-{place}" for place in range(40)],
            "process": process,
            "size": size,
            "score": size / 8,
            "rating": rating,
            "rating_low": rating - 0.5,
            "rating_high": rating + 0.5,
            "in_subset": process == "creative",
            "n_ratings": 9,
        }
    )


@pytest.fixture(scope="session")
def answers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "process": ["normal", "creative", "normal", "creative", "normal"],
            "label": ["not creative", "not creative", "creative", "creative", "inconclusive"],
            "n": [60, 20, 30, 60, 10],
        }
    )


@pytest.fixture(scope="session")
def charts(images, answers):
    """Every figure by name, as a function of the common options."""
    from studies.figures import label_shares, rating_scatter, size_distribution

    return {
        "scatter": lambda **options: rating_scatter(images, **options),
        "scatter of score": lambda **options: rating_scatter(images, "score", **options),
        "distribution": lambda **options: size_distribution(images, **options),
        "labels": lambda **options: label_shares(answers, **options),
    }
