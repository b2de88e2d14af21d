"""From ratings to the results page: one analysis per state of the data, kept and reused.

The analyses and their conventions are those of `studies.stats`; here the ratings are read,
turned into one number per image, and handed over. The page and the command both show what is
stored here, so they cannot disagree.
"""

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from django.db import transaction
from scipy import stats as scipy_stats

from studies import __version__, queries, wording
from studies.errors import DomainError
from studies.models import AnalysisRun, ParticipantKind, Question, Study
from studies.services.scans import versions
from studies.stats import RankAssociation, icc, krippendorff_alpha, rank_association, two_groups

PREDICTORS = {"size": "subset size", "score": "score"}
METHODS = ("spearman", "kendall")
# Below these, whoever happened to rate matters more than the intervals can say.
FEW_RATERS, FEW_RATINGS = 10, 3
RATERS = {
    ParticipantKind.PERSON: ("person", "people"),
    ParticipantKind.PILOT: ("pilot participant", "pilot participants"),
    ParticipantKind.SIMULATED: ("simulated rater", "simulated raters"),
}


@cache
def code_version() -> str:
    """Musescan's version and a hash of the code that computes the figures."""
    here = Path(__file__)
    sources = [here, here.parents[1] / "wording.py", *(here.parents[1] / "stats").glob("*.py")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources)))
    return f"{__version__}+{digest.hexdigest()[:12]}"


def analyse(*, study: Study, kind: str | None = None, seed: int = 0) -> AnalysisRun:
    """The analysis of the ratings of one kind of participants, computed unless it is kept.

    `kind` None means people where any person has rated, else the kind that has. Kinds are
    never mixed. DomainError where the study has no scan to compare with, or no ratings.
    """
    if study.scan is None:
        raise DomainError("no_scan", f"“{study.title}” has no scan to compare ratings with.")
    kinds = queries.kinds_with_ratings(study)
    if kind is not None and kind not in ParticipantKind.values:
        allowed = ", ".join(ParticipantKind.values)
        raise DomainError("unknown_kind", f"raters must be one of {allowed}; got {kind!r}")
    kind = kind or next(iter(kinds), ParticipantKind.PERSON.value)
    if kind not in kinds:
        plural = RATERS[ParticipantKind(kind)][1]
        raise DomainError("no_ratings", f"No ratings by {plural} have been stored yet.")
    started = time.perf_counter()
    ratings = queries.ratings_frame(study, kind)
    images = queries.images_frame(study)
    used_versions = {**versions(), "musescan": code_version()}
    input_sha256 = hash_of([ratings, images], {"versions": used_versions, "scan": study.scan.pk})
    kept = AnalysisRun.objects.filter(
        study=study, kind=kind, input_sha256=input_sha256, seed=seed
    ).first()
    if kept is not None:
        return kept
    result = {
        **describe(study, kind, kinds, ratings),
        "seed": seed,
        "versions": used_versions,
        "questions": [
            analyse_question(question, kind, ratings, images, seed)
            for question in study.questions.all()
        ],
    }
    duration_ms = round(1000 * (time.perf_counter() - started))
    with transaction.atomic():
        # Two pages may ask at once: both computed the same, one row stays.
        run, _ = AnalysisRun.objects.get_or_create(
            study=study,
            kind=kind,
            input_sha256=input_sha256,
            seed=seed,
            defaults={"versions": used_versions, "result": result, "duration_ms": duration_ms},
        )
    return run


def hash_of(frames: Iterable[pd.DataFrame], parameters: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    for frame in frames:
        digest.update(frame.to_json(orient="split", double_precision=15).encode())
    return digest.hexdigest()


def describe(study: Study, kind: str, kinds: list[str], ratings: pd.DataFrame) -> dict[str, Any]:
    """What the analysis is of."""
    scan = study.scan
    assert scan is not None, "analyse() has checked"
    return {
        "study": study.slug,
        "title": study.title,
        "kind": kind,
        "simulated": kind == ParticipantKind.SIMULATED,
        "other_kinds": [other for other in kinds if other != kind],
        "n_raters": int(ratings["rater"].nunique()),
        "n_images": int(ratings["image"].nunique()),
        "n_ratings": len(ratings),
        "scan": {
            "name": scan.name,
            "layer": scan.layer,
            "tail": scan.tail,
            "statistic": scan.statistic,
            "alpha_max": scan.alpha_max,
        },
    }


def image_means(
    ratings: pd.DataFrame, images: pd.DataFrame, *, shares: bool, bounds: tuple[float, float]
) -> pd.DataFrame:
    """The images with the mean of their numbers, its 95 % interval, and how many there are.

    Columns added to `images`: mean, low, high, n. A mean rating has a t interval, cut at the
    ends of the scale; a share has Wilson's (1927). There is none (NaN) with fewer than two
    ratings, nor for ratings that are all the same, whose spread says nothing.
    """
    numbers = ratings.dropna(subset=["number"]).groupby("image")["number"]
    mean, n = numbers.mean(), numbers.count()
    if shares:
        z = scipy_stats.norm.ppf(0.975)
        centre = (mean + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(mean * (1 - mean) / n + z**2 / (4 * n**2))
        half = half.where(n > 1)
    else:
        centre, sd = mean, numbers.std(ddof=1)
        half = (scipy_stats.t.ppf(0.975, (n - 1).clip(lower=1)) * sd / np.sqrt(n)).where(sd > 0)
    table = pd.DataFrame(
        {
            "mean": mean,
            "low": (centre - half).clip(*bounds),
            "high": (centre + half).clip(*bounds),
            "n": n,
        }
    )
    joined = images.merge(table, left_on="image", right_index=True, how="left")
    return joined.fillna({"n": 0}).astype({"n": int})


def measure(question: Question) -> dict[str, Any]:
    """What an image's number means for this question."""
    if question.kind == "categorical":
        words = {label["value"]: label["label"] for label in question.options["labels"]}
        positive = words[question.options["positive"]]
        undecided = [words[value] for value in question.options.get("undecided", [])]
        left_out = f", “{'”, “'.join(undecided)}” left out" if undecided else ""
        return {
            "measure": f"share of raters who chose “{positive}”{left_out}",
            "positive_label": positive,
            "range": [0, 1],
        }
    points = question.options["points"]
    return {"measure": f"mean rating from 1 to {points}", "range": [1, points]}


def analyse_question(
    question: Question, kind: str, ratings: pd.DataFrame, images: pd.DataFrame, seed: int
) -> dict[str, Any]:
    """Associations, group membership and reliability for one question."""
    mine = ratings[ratings["question"] == question.key]
    meaning = measure(question)
    table = image_means(
        mine, images, shares=question.kind == "categorical", bounds=tuple(meaning["range"])
    )
    rated = table[table["n"] > 0]
    associations = [
        {
            "predictor": predictor,
            "predictor_label": label,
            "method_name": method,
            **rank_association(
                rated[predictor],
                rated["mean"],
                method=method,
                seed=seed,
                names=(f"the {label}", "the images’ mean answer"),
            ).to_dict(),
        }
        for predictor, label in PREDICTORS.items()
        for method in METHODS
    ]
    inside = rated["in_group"].astype(bool)
    result: dict[str, Any] = {
        "key": question.key,
        "text": question.text,
        "kind": question.kind,
        **meaning,
        "n_images": len(rated),
        "n_ratings": len(mine),
        "ratings_per_image": float(rated["n"].mean()) if len(rated) else None,
        "associations": associations,
        "membership": {
            **two_groups(rated["mean"], inside).to_dict(),
            "mean_inside": float(rated["mean"][inside].mean()) if inside.any() else None,
            "mean_outside": float(rated["mean"][~inside].mean()) if (~inside).any() else None,
            "n_inside": int(inside.sum()),
            "n_outside": int((~inside).sum()),
        },
        "reliability": reliability(question, mine, seed),
        "labels": label_counts(question, mine, images),
        "images": image_rows(table),
    }
    n_raters = int(mine["rater"].nunique())
    raters = wording.count(n_raters, *RATERS[ParticipantKind(kind)])
    result["sentence"] = wording.association_sentence(result, associations[0], raters=raters)
    result["warnings"] = thin_ratings(n_raters, result["ratings_per_image"])
    return result


def headline_association(question: dict[str, Any], predictor: str) -> RankAssociation:
    """The first association of `predictor` in a question's part of a stored result."""
    stored = next(each for each in question["associations"] if each["predictor"] == predictor)
    names = {field.name for field in dataclasses.fields(RankAssociation)}
    return RankAssociation(**{key: value for key, value in stored.items() if key in names})


def thin_ratings(n_raters: int, ratings_per_image: float | None) -> list[str]:
    """What the intervals, which resample images and not raters, cannot show."""
    if ratings_per_image is None:
        return []
    if n_raters >= FEW_RATERS and ratings_per_image >= FEW_RATINGS:
        return []
    return [
        f"Few ratings so far ({wording.count(n_raters, 'rater')}, "
        f"{ratings_per_image:.1f} per image): "
        "the intervals are over images and do not show what other raters would have said."
    ]


def reliability(question: Question, ratings: pd.DataFrame, seed: int) -> dict[str, Any]:
    """How far raters agree: Krippendorff's α at the question's level, and an ICC of its numbers."""
    nominal = question.kind == "categorical"
    matrix = ratings.pivot(
        index="rater", columns="image", values="value" if nominal else "number"
    )  # fmt: skip
    return {
        "krippendorff": krippendorff_alpha(
            matrix, level="nominal" if nominal else "ordinal", seed=seed
        ).to_dict(),
        "icc": icc(ratings, rating="number", seed=seed).to_dict(),
    }


def label_counts(
    question: Question, ratings: pd.DataFrame, images: pd.DataFrame
) -> list[dict[str, Any]]:
    """How often each label was chosen for the images of each process; empty for other kinds."""
    if question.kind != "categorical":
        return []
    chosen = ratings.merge(images[["image", "process"]], on="image")
    counts = chosen.groupby(["value", "process"]).size()
    return [
        {
            "value": label["value"],
            "label": label["label"],
            "process": process,
            "n": int(counts.get((label["value"], process), 0)),
        }
        for label in question.options["labels"]
        for process in sorted(images["process"].unique())
    ]


def image_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """`table` as plain JSON values, None for what is not defined."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [
        {
            str(key): value.item() if isinstance(value, np.generic) else value
            for key, value in row.items()
        }
        for row in rows
    ]
