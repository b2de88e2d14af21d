"""A report put together from its sections, in the order of a results section."""

from studies.wording import BANNERS, MARKS

from . import apa
from .agreement import reliability
from .document import Paragraph, Report, Section, Table, Words, code, words
from .facts import Facts
from .flow import participants
from .headline import headline
from .limits import limits
from .maps import images
from .membership import layers, membership
from .methods import methods, references
from .procedure import raters
from .reading import Result, questions
from .references import Citations
from .sensitivity import sensitivity


def write_report(result: Result, facts: Facts) -> Report:
    """The report of an analysis (`result`, as it is stored) of the study that `facts` tell of."""
    mark = MARKS.get(result["kind"])
    cite = Citations()
    sections = [
        design(facts, result),
        participants(facts, result, mark),
        reliability(result, mark),
        headline(result, mark),
        sensitivity(facts, result, mark),
        membership(facts, result, mark),
        layers(facts, result, mark),
        images(facts, result, mark),
        limits(facts, result),
        methods(facts, result, cite),
    ]
    sections.append(references(cite))
    return Report(
        kind=str(result["kind"]),
        kicker="Report of a rating study",
        author=str(facts.study["responsible"]),
        made=f"Musescan {facts.version}, {facts.written_at:%Y-%m-%d}",
        title=str(result.get("title") or facts.study["title"]),
        subtitle=words(summary(result)),
        by_line=by_line(facts, result),
        mark=mark,
        banner=BANNERS.get(result["kind"]),
        caution=caution(facts),
        sections=tuple(section for section in sections if section.blocks),
        colophon=words(
            f"Written by Musescan {facts.version} on {facts.written_at:%Y-%m-%d at %H:%M} UTC from "
            "the recorded data; no number was typed by hand."
        ),
    )


def summary(result: Result) -> str:
    """The headline in one sentence, under the title."""
    told = result.get("headline") or {}
    if told.get("sentence"):
        return str(told["sentence"])
    asked = questions(result)
    return str(asked[0]["sentence"]) if asked else "Nothing could be analysed yet."


def caution(facts: Facts) -> str | None:
    """That the numbers are of then, where the data have changed."""
    if facts.n_newer is None:
        return None
    since = f"{apa.count(facts.n_newer, 'answer')} came" if facts.n_newer else "the data changed"
    return (
        f"Since this analysis {since}: it is of the data as they were. Analyse again to renew it."
    )


def by_line(facts: Facts, result: Result) -> Words:
    return words(
        f"{facts.study['responsible']} · {raters(result['n_raters'], result['kind'])}, "
        f"{apa.count(result['n_images'], 'image')}, {apa.count(result['n_ratings'], 'answer')}"
    )


def design(facts: Facts, result: Result) -> Section:
    """What was crossed with what, and how much there is of it."""
    scan = facts.scan
    rows = [
        (
            words(asked["text"]),
            words(asked["measure"]),
            words(f"{asked['n_images']:,}"),
            words(f"{asked['n_ratings']:,}"),
            words(apa.number(asked["ratings_per_image"], 1)),
        )
        for asked in questions(result)
    ]
    crossed = (
        "Raters and images are crossed, each rater seeing a part of the images"
        if facts.study["trials_per_participant"] < sum(facts.strata.values())
        else "Raters and images are fully crossed"
    )
    text = words(
        f"{crossed}: {raters(result['n_raters'], result['kind'])} gave "
        f"{apa.count(result['n_ratings'], 'answer')} about "
        f"{apa.count(result['n_images'], 'image')} from "
        f"{apa.count(len(facts.strata), 'stratum', 'strata')}. Ratings are related to what the "
        f"scan “{scan['name']}” found in each image at the layer ", code(scan["layer"]),
        ": the size of its anomalous subset of nodes, and its score.",
    )  # fmt: skip
    table = Table(
        words("Questions, what an image’s number is, and how many answers there are."),
        (
            words("Question"), words("An image’s number"), words("Images"), words("Answers"),
            words("Per image"),
        ),
        (False, False, True, True, True),
        tuple(rows),
    )  # fmt: skip
    blocks = (Paragraph(text), table) if rows else (Paragraph(text),)
    return Section("design", "Design", blocks, copyable=True)
