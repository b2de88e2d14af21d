"""The headline figures again, from this export's files alone: ``python analysis/headline.py``.

How the images' mean answers go with subset size and with score: Spearman's rho and Kendall's
tau-b over the images, with asymptotic p-values. Counted are answers of one kind of raters, in
trials of the role "main", by participants who are not excluded. Needs pandas and scipy.
"""

import argparse
import json
import sys
from pathlib import Path

import pandas as pd
from scipy import stats

DATA = Path(__file__).resolve().parent.parent / "data"
KINDS = ("person", "pilot", "simulated")


def table(name):
    """A table of the export, every cell as text; empty cells are missing."""
    (path,) = DATA.glob(f"study-*_description-{name}_data.csv")
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])


def counted(answers, kind):
    """The answers that analyses count, by raters of one kind."""
    main = (answers["role"] == "main") & (answers["excluded"] == "false")
    return answers[main & (answers["rater_kind"] == kind)]


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


def image_means(answers):
    """The mean number of each image."""
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


def headline(answers, stimuli):
    """A row per question, predictor and method."""
    images = stimuli[stimuli["role"] == "rating"].set_index("stimulus_id")
    rows = []
    for question, mine in answers.groupby("question", sort=False):
        kind = mine["question_kind"].iloc[0]
        if kind in ("text", "forced_choice"):
            why = "has no number" if kind == "text" else "needs a model of paired comparisons"
            sys.stderr.write(f"{question}: left out, {kind} {why}\n")
            continue
        means = image_means(mine)
        for predictor in ("size", "score"):
            x = pd.to_numeric(images[predictor]).reindex(means.index).dropna()
            for method in ("spearman", "kendall"):
                estimate, p = association(x, means[x.index], method)
                rows.append((question, predictor, method, estimate, p, len(x)))
    return pd.DataFrame(
        rows, columns=["question", "predictor", "method", "estimate", "p", "n_images"]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--raters", choices=KINDS, help="people, if any rated")
    chosen = parser.parse_args().raters
    answers, stimuli = table("responses"), table("stimuli")
    kinds = [chosen] if chosen else KINDS
    kind = next((each for each in kinds if len(counted(answers, each))), None)
    if kind is None:
        sys.exit("No such ratings are in this export.")
    nobody = " No person gave these ratings." if kind == "simulated" else ""
    sys.stderr.write(f"Raters: {kind}.{nobody}\n")
    result = headline(counted(answers, kind), stimuli)
    result.to_csv(sys.stdout, sep="\t", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
