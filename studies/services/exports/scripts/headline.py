"""The headline again, from this export's files alone: ``python analysis/headline.py``.

Printed as JSON: the planned test (headline_test.csv says which; materials/plan.json is the whole
plan), fitted by the statistics of Musescan in musescan_stats/, and how the images' mean answers
go with subset size and with score: Spearman's rho and Kendall's tau-b over the images, with
asymptotic p-values. Of choices between two images the images' numbers are abilities of the model
of Rao and Kupper (1967), of Bradley and Terry where there are no ties. Counted are answers of one
kind of raters, in trials of the role "main", less those whom the plan leaves out: by a rule, and
by researchers' decisions unless it says otherwise. Needs Python 3.11 with numpy, pandas,
scipy and threadpoolctl.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data"
KINDS = ("person", "pilot", "simulated")
PREDICTORS = {"size": "the subset size", "score": "the score"}


def table(name):
    """A table of the export, every cell as text; empty cells are missing."""
    (path,) = DATA.glob(f"study-*_description-{name}_data.csv")
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])


def planned():
    """The test that the headline is, by name of what it says."""
    rows = pd.read_csv(HERE / "headline_test.csv", dtype=str, keep_default_na=False)
    return rows.set_index("name")["value"].to_dict()


def counted(answers, left_out, plan):
    """The answers that analyses count."""
    main = (answers["role"] == "main") & ~answers["subject_id"].isin(left_out["subject_id"])
    if plan["decisions"] == "true":
        main &= answers["excluded"] == "false"
    return answers[main]


def measured(stimuli):
    """The images to be rated with size and score, as numbers and in standard deviations."""
    images = stimuli[stimuli["role"] == "rating"].set_index("stimulus_id")
    images = images[list(PREDICTORS)].astype(float)
    for name in PREDICTORS:
        # Over the study's images themselves (over n).
        spread = images[name].std(ddof=0)
        images[f"{name}_z"] = (images[name] - images[name].mean()) / (spread or np.nan)
    return images


def by_mixed_model(answers, images, plan):
    """The planned mixed model's effect, with the inference that few raters or images allow."""
    from musescan_stats import fit_clmm, fit_lmm

    names = [plan["predictor"], *plan["covariates"].split()]
    fixed = [f"{name}_z" for name in names]
    frame = pd.DataFrame(
        {
            "rater": answers["subject_id"],
            "image": answers["stimulus_id"],
            "rating": answers["number"].astype(float),
        }
    )
    frame = frame.dropna(subset=["rating"]).reset_index(drop=True).join(images[fixed], on="image")
    slopes = fixed[:1] if plan["rater_slopes"] == "true" else []
    try:
        for name in names:
            if images[f"{name}_z"].isna().all():
                raise ValueError(f"{name} is the same in all images")
        if plan["model"] == "lmm":
            model = fit_lmm(frame, fixed=fixed, rater_slopes=slopes)
        else:
            model = fit_clmm(frame, fixed=fixed, rater_slopes=slopes, link=plan["link"])
    except ValueError as error:
        return {"estimate": None, "warnings": [str(error)]}
    if not model.converged:
        return {"estimate": None, "warnings": list(model.warnings)}
    small = model.small_sample()
    estimate, interval = small.estimates[fixed[0]], small.intervals[fixed[0]]
    margin = small.standard_errors[fixed[0]]
    ratio = None
    if plan["model"] == "clmm" and plan["link"] == "logit":
        limits = interval or (-np.inf, np.inf)
        ratio = [float(np.exp(value)) for value in (model.estimates[fixed[0]], *limits)]
    return {
        "estimate": estimate,
        "interval": interval,
        "p": small.p_values[fixed[0]],
        "t": estimate / margin if margin else None,
        "df": small.degrees_of_freedom[fixed[0]],
        "standard_error": margin,
        "wald_standard_error": model.standard_errors[fixed[0]],
        "odds_ratio": ratio,
        "n_images": model.n_images,
        "n_raters": model.n_raters,
        "n_ratings": model.n_ratings,
        "method": f"{model.method}; {small.method}",
        "warnings": list(model.warnings),
    }


def by_ranks(answers, images, plan):
    """Spearman's rho with permutation p, its interval over images and, of ratings, raters."""
    from musescan_stats import crossed_rank_association, rank_association

    label = PREDICTORS[plan["predictor"]]
    draws = {name: int(plan[name]) for name in ("seed", "n_permutations", "n_bootstrap")}
    x = images[plan["predictor"]].rename(label)
    kind = answers["question_kind"].iloc[0]
    if kind in ("forced_choice", "best_worst", "ranking"):
        means = image_means(answers)
        x = x[x.index.isin(means.index)]
        names = (label, "the images’ mean answer")
        found = rank_association(x, means[x.index], method="spearman", names=names, **draws)
    else:
        frame = answers.rename(columns={"subject_id": "rater", "stimulus_id": "image"})
        frame = frame.assign(number=frame["number"].astype(float)).join(x, on="image")
        found = crossed_rank_association(
            frame[["rater", "image", "number", label]],
            rating="number", predictor=label, method="spearman", **draws,
        )  # fmt: skip
    return {
        "estimate": found.estimate,
        "interval": found.interval,
        "p": found.p_permutation,
        "odds_ratio": None,
        "n_images": found.n,
        "n_raters": answers["subject_id"].nunique(),
        "n_ratings": len(answers),
        "method": found.method,
        "warnings": list(found.warnings),
    }


def headline(answers, images, plan):
    """The planned test; None where nothing was planned or nobody answered its question."""
    mine = answers[answers["question"] == plan.get("question")]
    if mine.empty:
        return None
    about = {name: plan[name] for name in ("question", "predictor", "model", "plan_version")}
    if plan["model"] not in ("clmm", "lmm"):
        return about | by_ranks(mine, images, plan)
    about |= {"link": plan["link"], "rater_slopes": plan["rater_slopes"] == "true"}
    return about | by_mixed_model(mine, images, plan)


def numbers_of_sets(answers):
    """A number for each image of each answer that compares images.

    Best-worst: 1 for the best, -1 for the worst, else 0. Ranking: k for the first, 1 for the last.
    """
    rows = []
    for each in answers.itertuples():
        value, images = json.loads(each.value), each.stimuli.split(" ")
        for place, image in enumerate(images, start=1):
            if each.question_kind == "best_worst":
                number = (value["best"] == place) - (value["worst"] == place)
            else:
                number = len(images) - value.index(place)
            rows.append((image, float(number)))
    return pd.DataFrame(rows, columns=["stimulus_id", "number"])


def abilities(answers):
    """The images' abilities in log odds; of those alone that have a finite one."""
    from musescan_stats import fit_rao_kupper

    pairs = answers["stimuli"].str.split(" ", expand=True).set_axis(["left", "right"], axis=1)
    found = fit_rao_kupper(pairs.assign(choice=answers["value"]))
    return pd.Series(found.abilities, dtype=float).dropna()


def image_means(answers):
    """The mean number of each image, or its ability."""
    if answers["question_kind"].iloc[0] == "forced_choice":
        return abilities(answers)
    if answers["question_kind"].iloc[0] in ("best_worst", "ranking"):
        answers = numbers_of_sets(answers)
    numbers = pd.to_numeric(answers["number"])
    return numbers.groupby(answers["stimulus_id"]).mean().dropna()


def association(x, y, method):
    """Estimate and p-value; missing where one of the two does not vary, or below 3 images."""
    if len(x) < 3 or x.nunique() < 2 or y.nunique() < 2:
        return None, None
    if method == "spearman":
        found = stats.spearmanr(x, y)
    else:
        found = stats.kendalltau(x, y, method="asymptotic")
    return float(found.statistic), float(found.pvalue)


def over_images(answers, images):
    """What correlates with the images' mean answers: by question, predictor and method."""
    rows = []
    for question, mine in answers.groupby("question", sort=False):
        kind = mine["question_kind"].iloc[0]
        if kind == "text":
            sys.stderr.write(f"{question}: left out, text has no number\n")
            continue
        means = image_means(mine)
        for predictor in PREDICTORS:
            x = images[predictor].reindex(means.index).dropna()
            for method in ("spearman", "kendall"):
                estimate, p = association(x, means[x.index], method)
                row = {"question": question, "predictor": predictor, "method": method}
                rows.append(row | {"estimate": estimate, "p": p, "n_images": len(x)})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--raters", choices=KINDS, help="people, if any rated")
    parser.add_argument("--images", action="store_true", help="the images' correlations alone")
    chosen = parser.parse_args()
    answers, images, plan = table("responses"), measured(table("stimuli")), planned()
    standing = answers[(answers["role"] == "main") & (answers["excluded"] == "false")]
    kinds = [chosen.raters] if chosen.raters else KINDS
    kind = next((each for each in kinds if (standing["rater_kind"] == each).any()), None)
    if kind is None:
        sys.exit("No such ratings are in this export.")
    nobody = " No person gave these ratings." if kind == "simulated" else ""
    sys.stderr.write(f"Raters: {kind}.{nobody}\n")
    answers = counted(answers[answers["rater_kind"] == kind], table("exclusions"), plan)
    found = {"raters": kind}
    if not chosen.images:
        from musescan_stats.results import json_safe

        found["headline"] = json_safe(headline(answers, images, plan))
    found["images"] = over_images(answers, images)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    # Beside the script lie the statistics; nothing is written there.
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(HERE))
    main()
