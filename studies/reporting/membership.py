"""Results: images in the group's subset against the others, labels, and layers compared."""

from collections.abc import Iterator

from studies.figures import Panel, Row, forest

from . import apa
from .document import Block, Figure, Paragraph, Section, Table, Words, code, i, words
from .drawings import label_figure
from .facts import Facts
from .reading import PREDICTORS, Result, is_defined, judged, primary, questions


def membership(facts: Facts, result: Result, mark: str | None) -> Section:
    group = facts.scan["group"]
    blocks: list[Block] = [
        Paragraph(
            words(
                f"The group’s subset holds {group['n_images']:,} of {facts.scan['n_images']:,} "
                f"scanned images and {group['n_nodes']:,} of {facts.scan['n_nodes']:,} nodes "
                f"(score "
                f"{apa.number(group['score'], 1)}",
                f" at α = {apa.number(group['alpha'], 3, bounded=True)}"
                if group.get("alpha") is not None
                else "",
                ").",
            )
        )
    ]
    blocks += [Paragraph(sentence(asked)) for asked in questions(result)]
    blocks.append(table(result))
    for asked in questions(result):
        if asked.get("labels"):
            blocks.append(label_figure(asked, mark))
    return Section("membership", "Subset membership", tuple(blocks), copyable=True)


def sentence(asked: Result) -> Words:
    found = asked["membership"]
    if not is_defined(found):
        return words(
            f"For “{asked['text']}”, images in the subset cannot be compared with others: "
            f"{found['n_inside']} rated images are in it and {found['n_outside']} outside."
        )
    clear = found["p"] is not None and found["p"] < 0.05
    what = (
        f"images in the group’s subset were {judged(asked, found['estimate'] > 0)} than others"
        if clear
        else "no clear difference was found between images in the group’s subset and others"
    )
    return words(
        f"{what[0].upper()}{what[1:]} (", i("Mdn"), f" = {apa.number(found['median_in_group'])} "
        f"and {apa.number(found['median_outside'])}, ", i("n"), f" = {found['n_inside']:,} and "
        f"{found['n_outside']:,}), Mann–Whitney ", i("U"), f" = {apa.number(found['u'], 1)}, ",
        apa.p_value(found["p"]), ", Cliff’s ",
        apa.coefficient(words(i("δ")), found["estimate"], found["interval"]),
        "; the chance that an image of the subset is rated above one outside is ",
        f"AUC = {apa.number(found['auc'], bounded=True)} "
        f"{apa.interval(found['auc_interval'], bounded=True)}.",
    )  # fmt: skip


def table(result: Result) -> Table:
    rows = []
    for asked in questions(result):
        found = asked["membership"]
        for name, n, mean, median in (
            ("in the subset", "n_inside", "mean_inside", "median_in_group"),
            ("outside", "n_outside", "mean_outside", "median_outside"),
        ):
            rows.append((
                words(asked["text"]),
                words(name),
                words(f"{found[n]:,}"),
                words(apa.number(found[mean])),
                words(apa.number(found[median])),
            ))  # fmt: skip
    return Table(
        words("Rated images in the group’s subset and outside, by the images’ mean answers."),
        (words("Question"), words("Images"), words(i("n")), words(i("M")), words(i("Mdn"))),
        (False, False, True, True, True),
        tuple(rows),
        (
            words(
                ". ".join(
                    dict.fromkeys(
                        asked["membership"]["method"].rstrip(".") for asked in questions(result)
                    )
                ),
                "; intervals of AUC follow from those of δ.",
            ),
        ),
    )


def layers(facts: Facts, result: Result, mark: str | None) -> Section:
    asked = primary(result)
    compared = (asked or {}).get("layers") or []
    blocks: list[Block] = []
    if asked is not None and compared:
        panels = [
            Panel(
                f"Ratings and {PREDICTORS[predictor]}",
                "Spearman’s ρ over images",
                [
                    Row(
                        f"{each['layer']}",
                        each["association"].get("estimate"),
                        each["association"].get("interval"),
                        is_main=bool(
                            each.get("is_planned", each.get("scan") == facts.scan["name"])
                        ),
                    )
                    for each in compared
                    if each["predictor"] == predictor and each.get("association")
                ],
                bounded=True,
            )
            for predictor in PREDICTORS
        ]
        if any(panel.rows for panel in panels):
            blocks.append(
                Figure(
                    "layers",
                    words(
                        f"How answers to “{asked['text']}” go with subset size and score, by "
                        "layer; filled: the layer of the headline."
                    ),
                    "Forest plot by layer: "
                    + "; ".join(
                        f"{panel.title}, {row.label}: {apa.number(row.estimate, bounded=True)}"
                        for panel in panels
                        for row in panel.rows
                    )
                    + ".",
                    forest(panels, mark=mark),
                )
            )
        blocks.append(layer_table(compared))
    else:
        blocks.append(
            Paragraph(
                words(
                    "No other layer was scanned for these images, so ratings are compared with the "
                    "layer ", code(facts.scan["layer"]), " alone.",
                )
            )
        )  # fmt: skip
    blocks += detection(facts)
    return Section("layers", "Layers compared", tuple(blocks))


def layer_table(compared: list[Result]) -> Table:
    rows = []
    for each in compared:
        found, difference = each.get("association") or {}, each.get("difference") or {}
        rows.append((
            words(code(each["layer"])),
            words(each.get("scan") or ""),
            words(PREDICTORS.get(each["predictor"], each["predictor"])),
            words(apa.number(found.get("estimate"), bounded=True)),
            words(apa.interval(found.get("interval"), bounded=True)),
            words(apa.p_only(found.get("p_permutation"))),
            words(
                f"{apa.number(difference['estimate'])} "
                    f"{apa.interval(difference.get('interval'))}"
                if difference.get("estimate") is not None
                else "–"
            ),
        ))  # fmt: skip
    return Table(
        words("Spearman’s ", i("ρ"), " of ratings with size and score, by layer."),
        (
            words("Layer"), words("Scan"), words("With"), words(i("ρ")), words("95% CI"),
            words("Permutation ", i("p")), words("Difference [95% CI]"),
        ),
        (False, False, False, True, True, True, True),
        tuple(rows),
        (
            words(
                "Difference: this layer’s ρ less that of the headline’s layer, with a bootstrap "
                "interval over images that keeps the two of each image together."
            ),
        ),
    )  # fmt: skip


def detection(facts: Facts) -> Iterator[Block]:
    """How well the scan tells creative from normal images, which needs no rater."""
    told = [
        words(
            f"{'score' if each['measure'] == 'score' else 'subset size'} ",
            f"AUC = {apa.number(each['estimate'], bounded=True)} "
            f"{apa.interval(each['interval'], bounded=True)}",
        )
        for each in facts.detection
        if each.get("estimate") is not None
    ]
    if not told:
        return
    first = facts.detection[0]
    text: Words = words("Without any rater, the scan itself tells creative from normal images by ")
    for place, part in enumerate(told):
        text = words(text, " and " if place else None, part)
    yield Paragraph(
        words(
            text,
            f" ({first['n_positive']:,} creative, {first['n_negative']:,} normal images; DeLong "
            "intervals; .50 is chance, below it the order is reversed).",
        )
    )
