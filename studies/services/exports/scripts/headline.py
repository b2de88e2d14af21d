"""The headline figures again, from this export's files alone: ``python analysis/headline.py``.

How the images' mean answers go with subset size and with score: Spearman's rho and Kendall's
tau-b over the images, with asymptotic p-values. Of choices between two images the images' numbers
are abilities of the model of Rao and Kupper (1967), of Bradley and Terry where there are no ties.
Counted are answers of one kind of raters, in trials of the role "main", by participants who are
neither excluded nor left out by a rule of the analysis plan. Needs pandas and scipy.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse, special, stats

DATA = Path(__file__).resolve().parent.parent / "data"
KINDS = ("person", "pilot", "simulated")


def table(name):
    """A table of the export, every cell as text; empty cells are missing."""
    (path,) = DATA.glob(f"study-*_description-{name}_data.csv")
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])


def counted(answers, left_out, kind):
    """The answers that analyses count, by raters of one kind."""
    main = (answers["role"] == "main") & (answers["excluded"] == "false")
    main &= ~answers["subject_id"].isin(left_out["subject_id"])
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


def linked(pairs, n_images):
    """By image the set in which each can be reached from each by wins; a tie is a win of both."""
    won = pairs[pairs["choice"] != "right"][["left", "right"]].to_numpy()
    lost = pairs[pairs["choice"] != "left"][["right", "left"]].to_numpy()
    edges = np.vstack([won, lost])
    graph = sparse.coo_array((np.ones(len(edges)), edges.T), shape=(n_images, n_images))
    return sparse.csgraph.connected_components(graph, connection="strong")[1]


def abilities(answers):
    """The images' abilities in log odds, by maximum likelihood with Newton's method.

    With d = ability of the left image less that of the right and t >= 0 for ties,
    P(left) = F(d - t), P(right) = F(-d - t), and P(tie) is the rest, which is
    F(t + d) F(t - d) (1 - exp(-2 t)): a logistic regression in which a tie counts as two answers,
    and a term in t. There is a finite estimate only among images that are linked by wins in both
    directions; told are those of the largest such set.
    """
    sides = answers["stimuli"].str.split(" ", expand=True)
    names, codes = np.unique(sides.to_numpy().ravel(), return_inverse=True)
    pairs = pd.DataFrame(codes.reshape(-1, 2), columns=["left", "right"])
    pairs["choice"] = answers["value"].to_numpy()
    sets = linked(pairs, len(names))
    pairs = pairs[sets[pairs["left"]] == sets[pairs["right"]]]
    n_ties = int((pairs["choice"] == "tie").sum())
    if n_ties == len(pairs):
        return pd.Series(dtype=float)
    members, weights = np.bincount(sets), np.bincount(sets[pairs["left"]], minlength=sets.max() + 1)
    main = np.lexsort((weights, members))[-1]
    # A row per answer: sign of d, sign of t. The first image of each set is its origin.
    rows = {"left": [(1, -1)], "right": [(-1, -1)], "tie": [(1, 1), (-1, 1)]}
    design = sparse.lil_array((len(pairs) + n_ties, len(names) + 1))
    at = 0
    for pair in pairs.itertuples():
        for sign, of_tie in rows[pair.choice]:
            design[at, pair.left], design[at, pair.right], design[at, -1] = sign, -sign, of_tie
            at += 1
    origins = np.unique(sets, return_index=True)[1]
    free = np.setdiff1d(np.arange(len(names)), origins)
    if n_ties:
        free = np.append(free, len(names))
    design = design.tocsc()[:, free].tocsr()
    found = np.zeros(len(free))
    if n_ties:
        found[-1] = np.log((len(pairs) + n_ties) / (len(pairs) - n_ties))
    for _ in range(100):
        share = special.expit(design @ found)
        slope = design.T @ (1 - share)
        bend = (design.T @ sparse.diags_array(share * (1 - share)) @ design).toarray()
        if n_ties:
            t = found[-1]
            slope[-1] += 2 * n_ties / np.expm1(2 * t)
            bend[-1, -1] += n_ties / np.sinh(t) ** 2
        step = np.linalg.solve(bend, slope)
        # Not too far at a time, nor to where no ties are possible.
        step *= min(1, 2 / max(np.abs(step).max(), 1e-300))
        if n_ties:
            step *= min(1, 0.9 * found[-1] / max(-step[-1], 1e-300))
        found += step
        if np.abs(step).max() < 1e-12:
            break
    all_of = np.zeros(len(names) + 1)
    all_of[free] = found
    told = pd.Series(all_of[:-1], index=names)[sets == main]
    # So that images whose abilities are the same are ties in ranks, whatever the rounding.
    return (told - told.mean()).round(9)


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


def headline(answers, stimuli):
    """A row per question, predictor and method."""
    images = stimuli[stimuli["role"] == "rating"].set_index("stimulus_id")
    rows = []
    for question, mine in answers.groupby("question", sort=False):
        kind = mine["question_kind"].iloc[0]
        if kind == "text":
            sys.stderr.write(f"{question}: left out, text has no number\n")
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
    answers, stimuli, left_out = table("responses"), table("stimuli"), table("exclusions")
    kinds = [chosen] if chosen else KINDS
    kind = next((each for each in kinds if len(counted(answers, left_out, each))), None)
    if kind is None:
        sys.exit("No such ratings are in this export.")
    nobody = " No person gave these ratings." if kind == "simulated" else ""
    sys.stderr.write(f"Raters: {kind}.{nobody}\n")
    result = headline(counted(answers, left_out, kind), stimuli)
    result.to_csv(sys.stdout, sep="\t", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
