"""Everything that an analysis is computed from, read once."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from studies import queries
from studies.models import AnalysisPlan, ParticipantKind, Scan, Study, StudyState
from studies.services import plans
from studies.services.analysis.exclusions import Exclusions, read_exclusions
from studies.services.analysis.names import PREDICTORS, standardised
from studies.services.analysis.planned import content_of
from studies.services.analysis.versions import code_version
from studies.services.scans import versions


@dataclass(frozen=True)
class Inputs:
    """The answers of one kind of participants, what scans found, and what was planned.

    `ratings` and `comparisons` hold nobody whom the plan leaves out; `all_ratings` and
    `all_comparisons` hold them too. `layers` has a row per image and other scan of it.
    """

    study: Study
    kind: str
    kinds: list[str]
    seed: int
    plan: AnalysisPlan | None
    content: dict[str, Any]
    exclusions: Exclusions
    all_ratings: pd.DataFrame
    all_comparisons: pd.DataFrame
    images: pd.DataFrame
    layers: pd.DataFrame
    scan_sha256: str
    versions: dict[str, str]

    @property
    def scan(self) -> Scan:
        assert self.study.scan is not None, "analyse() has checked"
        return self.study.scan

    @cached_property
    def ratings(self) -> pd.DataFrame:
        return self.exclusions.without(self.all_ratings)

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        return self.exclusions.without(self.all_comparisons)

    @cached_property
    def data_sha256(self) -> str:
        """Of the answers and of what the scans found."""
        return hash_of([self.all_ratings, self.all_comparisons, self.images, self.layers])

    @property
    def has_target(self) -> bool:
        """Whether a number of people was planned; other participants are none of them."""
        return self.kind == ParticipantKind.PERSON and self.content.get("n_target") is not None

    @cached_property
    def sha256(self) -> str:
        """Of everything that decides the result but the seed."""
        rest: dict[str, Any] = {
            "data": self.data_sha256,
            "versions": self.versions,
            "scan": self.scan_sha256,
            "plan": self.plan and [self.plan.pk, self.plan.sha256],
            "content": self.content,
            "excluded": self.exclusions.to_dict(),
            "kinds": self.kinds,
        }
        if self.has_target:
            rest["closed"] = self.study.state == StudyState.CLOSED
        return hashlib.sha256(canonical(rest)).hexdigest()

    @cached_property
    def measures(self) -> dict[str, pd.DataFrame]:
        """By scan: the study's images with size and score, also in standard deviations."""
        own = with_standardised(self.images[["image", *PREDICTORS]])
        others = {
            str(scan): with_standardised(rows[["image", *PREDICTORS]])
            for scan, rows in self.layers.groupby("scan", sort=False)
        }
        return {self.scan.name: own, **others}

    @cached_property
    def layer_of(self) -> dict[str, str]:
        """The layer of each scan in `measures`."""
        once = self.layers.drop_duplicates("scan")
        others = dict(zip(map(str, once["scan"]), map(str, once["layer"]), strict=True))
        return {self.scan.name: self.scan.layer, **others}


def read_inputs(study: Study, kind: str, kinds: list[str], seed: int | None) -> Inputs:
    """What there is to analyse; `seed` None means that of the plan."""
    plan = plans.plan_of(study)
    content = content_of(plan, study)
    by_decision = bool(content["exclusions"]["decisions"])
    return Inputs(
        study=study,
        kind=kind,
        kinds=kinds,
        seed=int(content["seed"]) if seed is None else seed,
        plan=plan,
        content=content,
        exclusions=read_exclusions(study, kind, content["exclusions"]),
        all_ratings=queries.ratings_frame(study, kind, excluded=not by_decision),
        all_comparisons=queries.comparisons_frame(study, kind, excluded=not by_decision),
        images=queries.images_frame(study),
        layers=queries.layers_frame(study),
        scan_sha256=plans.scan_sha256(study),
        versions={**versions(), "musescan": code_version()},
    )


def with_standardised(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` with each predictor less its mean, over its standard deviation, over all images.

    The deviation is that of the images themselves (over n), as in `studies.stats.planning`; NaN
    where they do not differ.
    """
    made = rows.reset_index(drop=True)
    for predictor in PREDICTORS:
        values = made[predictor].astype(float)
        deviation = values.std(ddof=0)
        scaled = (values - values.mean()) / deviation if deviation > 0 else values * np.nan
        made = made.assign(**{predictor: values, standardised(predictor): scaled})
    return made


def canonical(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()


def hash_of(frames: list[pd.DataFrame]) -> str:
    """Of every column's name and values: numbers by their bytes, all else as JSON."""
    digest = hashlib.sha256()
    for frame in frames:
        for name in frame.columns:
            column = frame[name]
            digest.update(f"\0{name}:{len(column)}\0".encode())
            if pd.api.types.is_numeric_dtype(column):
                digest.update(column.to_numpy(dtype="<f8", na_value=np.nan).tobytes())
            else:
                digest.update(json.dumps(column.tolist(), sort_keys=True).encode())
    return digest.hexdigest()
