"""Results: how reliable the images' numbers are, and how far raters agree."""

from collections.abc import Iterator
from typing import Any

from studies.figures import Panel, Row, forest

from . import apa
from .document import Block, Figure, Inline, Paragraph, Section, Table, Words, i, words
from .reading import Result, is_defined, questions


def reliability(result: Result, mark: str | None) -> Section:
    asked_all = [asked for asked in questions(result) if list(rows_of(asked))]
    if not asked_all:
        text = words("No reliability is defined for the answers that were given.")
        return Section("reliability", "Reliability", (Paragraph(text),))
    blocks: list[Block] = [Paragraph(sentence(asked)) for asked in asked_all]
    panels = [
        Panel(
            asked["text"],
            "coefficient",
            [
                Row(name, each.get("estimate"), each.get("interval"))
                for name, each, _ in rows_of(asked)
            ],
            null=None,
            bounds=(0.0, 1.0),
            bounded=True,
        )
        for asked in asked_all
    ]
    blocks.append(
        Figure(
            "reliability",
            words("Reliability and agreement by question, with 95% intervals."),
            "Coefficients: "
            + "; ".join(
                f"{panel.title}: "
                + ", ".join(
                    f"{row.label} {apa.number(row.estimate, bounded=True)} "
                    f"{apa.interval(row.interval, bounded=True)}"
                    for row in panel.rows
                )
                for panel in panels
            )
            + ".",
            forest(panels, mark=mark),
        )
    )
    blocks.append(table(asked_all))
    return Section("reliability", "Reliability", tuple(blocks), copyable=True)


def rows_of(asked: Result) -> Iterator[tuple[str, Result, str]]:
    """Each coefficient of a question: its name, its values, and its convention in words."""
    found = asked.get("reliability") or {}
    icc = found.get("icc") or {}
    coefficients = icc.get("coefficients") or {}
    for kind, each in coefficients.items():
        yield kind, each, convention(kind, icc)
    if icc and not coefficients:
        yield str(icc.get("kind")), icc, convention(str(icc.get("kind")), icc)
    alpha = found.get("krippendorff")
    if alpha:
        yield (
            f"Krippendorff’s α, {alpha['level']}",
            alpha,
            f"{alpha['level'].capitalize()} level; bootstrap over {alpha['n_units']:,} images with "
            "two or more ratings",
        )
    separation = found.get("separation")
    if separation:
        yield (
            "Separation reliability",
            separation,
            "Share of the abilities’ variance that is not error",
        )
    yield from chance_corrected(asked)
    half = (asked.get("ceiling") or {}).get("split_half")
    if half:
        yield (
            "Split-half, stepped up",
            half,
            f"Spearman–Brown, mean over {half.get('n_splits', 0):,} splits; bootstrap over images",
        )


def chance_corrected(asked: Result) -> Iterator[tuple[str, Result, str]]:
    found = asked.get("chance_corrected") or {}
    for level, each in (found.get("krippendorff") or {}).items():
        main = (asked.get("reliability") or {}).get("krippendorff") or {}
        if isinstance(each, dict) and level != main.get("level"):
            yield f"Krippendorff’s α, {level}", each, f"{str(level).capitalize()} level"
    for key, name in (("fleiss", "Fleiss’ κ"), ("gwet", "Gwet’s AC")):
        each = found.get(key)
        if isinstance(each, dict) and "estimate" in each:
            yield (
                str(each.get("coefficient") or name).replace("'", "’"),
                each,
                str(each.get("method") or "").replace("'", "’"),
            )


def convention(kind: str, icc: Result) -> str:
    """What an intraclass correlation is of, and how many ratings it stands for."""
    words_of = {
        "ICC(A,1)": "Absolute agreement of a single rating",
        "ICC(A,k)": "Absolute agreement of the mean of k ratings",
        "ICC(2,1)": "Two-way random, absolute agreement, a single rating",
        "ICC(2,k)": "Two-way random, absolute agreement, mean of k ratings",
        "ICC(3,1)": "Two-way mixed, consistency, a single rating",
        "ICC(3,k)": "Two-way mixed, consistency, mean of k ratings",
        "ICC(1)": "One-way random, a single rating",
        "ICC(1,k)": "One-way random, mean of k ratings",
    }
    text = words_of.get(kind, kind)
    if icc.get("k") is not None and kind.endswith("k)"):
        text += f", k = {apa.number(icc['k'], 1)} (harmonic mean)"
    return text


def sentence(asked: Result) -> Words:
    """The reliability of a question's means and the raters' agreement, in one sentence."""
    found = asked.get("reliability") or {}
    icc, alpha, separation = (found.get(key) for key in ("icc", "krippendorff", "separation"))
    parts: list[Words] = []
    if is_defined(icc):
        parts.append(words("the images’ means had ", coefficient(str(icc["kind"]), icc)))
        single = (icc.get("coefficients") or {}).get("ICC(A,1)") or (
            icc.get("coefficients") or {}
        ).get("ICC(2,1)")
        if is_defined(single):
            name = next(n for n, each in icc["coefficients"].items() if each is single)
            parts.append(words("single ratings ", coefficient(name, single)))
    if is_defined(alpha):
        parts.append(
            words(
                "raters agreed to Krippendorff’s ",
                apa.coefficient(words(i("α")), alpha["estimate"], alpha["interval"]),
                f" ({alpha['level']} level)",
            )
        )
    if is_defined(separation):
        parts.append(
            words(
                "separation reliability was ",
                apa.number(separation["estimate"], bounded=True),
                " (no interval is defined)" if separation.get("interval") is None else "",
            )
        )
    if not parts:
        return words(f"For “{asked['text']}”, no coefficient is defined.")
    text: tuple[Inline, ...] = words(f"For “{asked['text']}”, ")
    for place, part in enumerate(parts):
        text = words(text, "; " if place else None, part)
    per_image = asked.get("ratings_per_image")
    given = f", at {apa.number(per_image, 1)} ratings per image" if per_image else ""
    return words(text, f"{given}.")


def coefficient(kind: str, each: Any) -> Words:
    return apa.coefficient(words(kind), each["estimate"], each.get("interval"))


def table(asked_all: list[Result]) -> Table:
    rows = tuple(
        (
            words(asked["text"]),
            words(name),
            words(apa.number(each.get("estimate"), bounded=True)),
            words(apa.interval(each.get("interval"), bounded=True)),
            words(how),
        )
        for asked in asked_all
        for name, each, how in rows_of(asked)
    )
    reasons = [
        f"“{asked['text']}”: {icc['reason']}"
        for asked in asked_all
        if (icc := (asked.get("reliability") or {}).get("icc") or {}).get("reason")
    ]
    return Table(
        words("Reliability and agreement, with the convention of each."),
        (
            words("Question"), words("Coefficient"), words("Estimate"), words("95% CI"),
            words("Convention"),
        ),
        (False, False, True, True, False),
        rows,
        (words("; ".join(reasons), "."),) if reasons else (),
    )  # fmt: skip
