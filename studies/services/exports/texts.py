"""The files of an export that are for reading."""

from collections.abc import Collection, Iterable
from datetime import datetime

from studies import __version__
from studies.models import ParticipantKind, Study
from studies.services.exports.layout import Layout
from studies.services.tables import Table

README = """# {title}

{warnings}Ratings of generated images, and what a subset scan of the model’s activations found in \
each. A data set after Psych-DS (psych-ds.github.io), written by Musescan {version}.

Start with `materials/design.json` (questions, blocks, rules), `materials/consent.txt` (what \
participants agreed to), `materials/plan.json` (what the study said it would compute, and when), \
`materials/scan.json` (every parameter of the scan, and what calibrates it) and \
`documentation/codebook.json` (every column of every table). `dataset_description.json` is for \
machines.

**Who rated** stands in the column `rater_kind` of every table that is about raters: “person”, \
“pilot” (somebody who tried the study out) or “simulated” (a program, whose answers say nothing \
about people). Never mix them.

## Is it whole?

`manifest.json` has the rows, bytes and SHA-256 of each file. With Python 3.8 or later and \
nothing else:

    python analysis/check_files.py

## The headline again, from these files alone

The planned test (without a plan the default; `analysis/headline_test.csv`), and beside it the \
rank correlations of the images’ mean answers with subset size and with score:

    python analysis/headline.py      # Python 3.11: numpy, pandas, scipy, threadpoolctl
    Rscript analysis/headline.R      # a mixed model needs “ordinal” (clmm) or “lme4” (lmm)

Python gives the estimate, interval, p and odds ratio of Musescan’s own results, by the \
statistics in `analysis/musescan_stats/` (MIT licence). R is another implementation, with the \
estimate and Wald’s standard error; with `--images` both give the correlations alone, for which \
R needs no packages. The headline’s interval and p are Python’s.

Both take people where any rated, else pilot participants, else simulated raters, and say so; \
`--raters KIND` chooses.

## Three forms of each table

`data/` has the values as they are. A spreadsheet may run text in it: open `spreadsheet/` there \
instead, where text that looks like a formula has an apostrophe before it. `parquet/` has the \
same rows with types.

{tables}
"""


WARNING = """**This data set has {who}: {kinds}.** {meaning} Files are named after it \
(`{name}`).

"""
IDENTIFYING = """**`identifiers/` says who took part.** An owner asked for it. Delete the folder \
before you share this data set.

"""
MEANING = {
    ParticipantKind.SIMULATED: "A simulated rater is a program, whose answers say nothing about "
    "people.",
    ParticipantKind.PILOT: "A pilot participant only tried the study out.",
}


def readme(
    study: Study,
    tables: Iterable[Table],
    layout: Layout,
    kinds: Collection[str],
    *,
    identifiers: bool,
) -> str:
    warnings = ""
    others = [kind for kind in MEANING if kind in kinds]
    if others:
        warnings = WARNING.format(
            who="not only people" if ParticipantKind.PERSON in kinds else "no people",
            kinds=", ".join(kinds),
            meaning=" ".join(MEANING[kind] for kind in others),
            name=layout.name,
        )
    if identifiers:
        warnings += IDENTIFYING
    listed = "\n".join(f"- `{layout.data(table)}`: {table.description}" for table in tables)
    return README.format(title=study.title, warnings=warnings, version=__version__, tables=listed)


def changes(study: Study, written_at: datetime) -> str:
    """What is known of the data set's past; researchers go on from here."""
    happened = [(written_at, f"Exported while the study was {study.state}")]
    happened += [
        (at, words)
        for at, words in (
            (study.closed_at, "The study was closed"),
            (study.launched_at, "The study was launched"),
        )
        if at is not None
    ]
    return "# Changes\n\n" + "".join(
        f"- {at:%Y-%m-%d %H:%M} UTC: {what}\n" for at, what in happened
    )
