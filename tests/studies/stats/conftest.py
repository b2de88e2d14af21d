"""The reference data sets and the values that R computes from them."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ORACLE = Path(__file__).parent / "oracle"


@pytest.fixture(scope="session")
def reference() -> dict[str, Any]:
    return json.loads((ORACLE / "reference.json").read_text())


@pytest.fixture(scope="session")
def likert() -> pd.DataFrame:
    return pd.read_csv(ORACLE / "likert_crossed.csv")


@pytest.fixture(scope="session")
def categorical() -> pd.DataFrame:
    return pd.read_csv(ORACLE / "categorical.csv")


@pytest.fixture(scope="session")
def shrout_fleiss() -> pd.DataFrame:
    table = pd.read_csv(ORACLE / "shrout_fleiss_1979.csv")
    return table.melt("target", var_name="rater", value_name="rating").rename(
        columns={"target": "image"}
    )


@pytest.fixture(scope="session")
def krippendorff_canonical() -> pd.DataFrame:
    return pd.read_csv(ORACLE / "krippendorff_canonical.csv").set_index("unit").T


@pytest.fixture(scope="session")
def likert_images(likert: pd.DataFrame) -> pd.DataFrame:
    """One row per image: mean rating, mean of rater-standardised ratings, predictors."""
    by_rater = likert.groupby("rater").rating
    standardised = (likert.rating - by_rater.transform("mean")) / by_rater.transform("std")
    return (
        likert.assign(rating_z=standardised)
        .groupby("image")
        .agg(
            image_mean=("rating", "mean"),
            image_median=("rating", "median"),
            rater_z_mean=("rating_z", "mean"),
            size=("subset_size", "first"),
            score=("subset_score", "first"),
            in_subset=("in_subset", "first"),
            group_rank=("group_rank", "first"),
        )
    )


@pytest.fixture(scope="session")
def majority_images(categorical: pd.DataFrame) -> pd.DataFrame:
    """Images whose most frequent label is unique, with that label."""
    modes = categorical.groupby("image").label.agg(lambda labels: labels.mode().tolist())
    unique = modes[modes.map(len) == 1].map(lambda labels: labels[0]).rename("majority")
    predictors = categorical.groupby("image")[["subset_size", "subset_score"]].first()
    return predictors.join(unique, how="inner")


@pytest.fixture(scope="session")
def hollander_wolfe() -> pd.DataFrame:
    return pd.read_csv(ORACLE / "hollander_wolfe_jt.csv")
