"""Which figures a run has: each made of the rows of a table."""

from typing import Any

import altair as alt

from scanning.experiments.claims import PIXELS
from scanning.experiments.figures import dots, heat, lines
from scanning.experiments.settings import MAIN_SHARE

Rows = list[dict[str, Any]]
Figures = dict[str, alt.TopLevelMixin]


def all_figures(tables: dict[str, Rows]) -> Figures:
    """Every figure for which there are rows, by name."""
    found: Figures = {}
    main = [row for row in tables["detection"] if _is_main(row) and row["measure"] == "score"]
    singly = [row for row in main if row["kind"] == "images"]
    if singly:
        found["detection-images"] = dots(
            singly,
            y="process",
            series="layer",
            facet="data",
            x_title="AUC of the score",
            reference=0.5,
            domain=(0.0, 1.02),
            description="Detection of single creative images in each layer and in pixels, by "
            "process and data set; whiskers are 95 % intervals over models and images.",
        )
    in_groups = [row | {"panel": f"{row['data']}, {row['process']}"} for row in main
                 if row["kind"] == "groups"]  # fmt: skip
    if in_groups:
        found["detection-groups"] = lines(
            in_groups,
            x="group_share",
            series="layer",
            facet="panel",
            x_title="share of creative images in a group",
            y_title="AUC",
            reference=0.5,
            n_columns=3,
            description="Detection power of the group scan over the share of creative images.",
        )
    found |= _strength(tables)
    sizes = [row for row in tables["sizes"] if _is_main(row) and row["layer"] != PIXELS]
    if sizes:
        found["sizes"] = dots(
            [row | {"panel": f"{row['data']}, {row['layer']}"} for row in sizes],
            y="words",
            series="process",
            facet="panel",
            x_title="AUC of the measure of size",
            reference=0.5,
            domain=(0.0, 1.02),
            description="How well measures of size tell creative from normal images: below 0.5 "
            "creative images have the smaller subsets.",
        )
    found |= _others(tables)
    return found


def _is_main(row: dict[str, Any]) -> bool:
    first = row["modulated"] == "decoder.dense1"
    return first and row["share"] == MAIN_SHARE and row["scale"] == 1.0


def _strength(tables: dict[str, Rows]) -> Figures:
    """AUC of size over the share of nodes that are switched on, first process."""
    process = tables["sizes"][0]["process"] if tables["sizes"] else None
    rows = [
        row | {"panel": f"{row['data']}, {row['words']}"}
        for row in tables["sizes"]
        if row["process"] == process
        and row["scale"] == 1.0
        and row["modulated"] == "decoder.dense1"
        and row["measure"] in ("size", "size_floor_0.1")
    ]
    if len({row["share"] for row in rows}) < 2:
        return {}
    figure = lines(
        rows,
        x="share",
        series="layer",
        facet="panel",
        x_title=f"share of the layer's nodes that are set ({process})",
        y_title="AUC of size",
        reference=0.5,
        is_log=True,
        description="AUC of the subset's size over the strength of creative decoding.",
    )
    return {"size-strength": figure}


def _others(tables: dict[str, Rows]) -> Figures:
    found: Figures = {}
    if tables["calibration"]:
        found["calibration"] = lines(
            [row | {"panel": f"{row['data']}, {row['kind']}"} for row in tables["calibration"]],
            x="nominal",
            series="layer",
            facet="panel",
            x_title="nominal level",
            y_title="share of normal ones",
            is_diagonal=True,
            n_columns=4,
            description="Share of normal images and groups called anomalous at nominal levels; "
            "on the dashed line both are equal.",
        )
    overlap = [row for row in tables["claim-3"] if row["a"] == "normal"]
    if overlap:
        words = {"subset": "as found", "same_size": "same size"}
        found["node-overlap"] = dots(
            [row | {"panel": f"{row['data']}, subsets {words[row['subsets']]}"} for row in overlap],
            y="b",
            series="layer",
            facet="panel",
            x_title="Jaccard index within less between",
            reference=0.0,
            description="How much more alike node subsets are within a process than between it "
            "and normal decoding.",
        )
    if tables["channels"]:
        found["channels"] = heat(
            tables["channels"],
            x="channel",
            y="process",
            value="frequency",
            facet="panel",
            x_title="channel",
            value_title="share of subsets that hold a node of the channel",
            has_digits=False,
            n_columns=1,
            description="How often the nodes of each channel are in the subsets of each process.",
        )
    ablation = [row for row in tables["ablation-images"] if row["layer"] != PIXELS]
    if ablation:
        largest = max(row["n_background"] for row in ablation)
        found["ablation-size"] = heat(
            [
                row
                | {
                    "way": f"{row['statistic']}, {row['tail']}",
                    "alpha": f"{row['alpha_max']:g}",
                    "panel": f"{row['data']}, {row['layer']}",
                }
                for row in ablation
                if row["n_background"] == largest
            ],
            x="alpha",
            y="way",
            value="auc_size",
            facet="panel",
            x_title="largest level tried",
            value_title="AUC of subset size",
            middle=0.5,
            description="AUC of the subset's size by statistic, tail and largest level.",
        )
    return found
