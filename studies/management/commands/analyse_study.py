"""``python manage.py analyse_study SLUG``: the figures of the results page, on the terminal."""

import json
import textwrap
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from studies import wording
from studies.errors import DomainError
from studies.management.arguments import study_called
from studies.models import ParticipantKind
from studies.services.analysis import analyse

SIMULATED = (
    "SIMULATED RATERS. No person gave these ratings: the figures below say nothing about people."
)
PILOT = "PILOT PARTICIPANTS. These ratings were given while trying the study out."
WIDTH = 96
MOST = 2**31 - 1


class Command(BaseCommand):
    help = "Say how ratings go with subset size and score, and how far raters agree."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument(
            "--json", action="store_true", help="print the figures as JSON, nothing else"
        )
        parser.add_argument(
            "--seed", type=int, help="of random draws (that of the plan; another is a departure)"
        )
        parser.add_argument(
            "--raters",
            choices=ParticipantKind.values,
            help="whose ratings (people's, where there are any)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_called(options["slug"])
        if options["seed"] is not None and not 0 <= options["seed"] <= MOST:
            raise CommandError(f"--seed must be from 0 to {MOST}; got {options['seed']}")
        try:
            result = analyse(study=study, kind=options["raters"], seed=options["seed"]).result
        except DomainError as error:
            raise CommandError(error.detail) from error
        if options["json"]:
            self.stdout.write(json.dumps(result, indent=2, ensure_ascii=False))
            return
        banner = {"simulated": SIMULATED, "pilot": PILOT}.get(result["kind"])
        if banner:
            self.stdout.write(self.style.WARNING(boxed(banner)))
        for line in report(result):
            self.stdout.write(line)


RELIABILITIES = {
    "krippendorff": "agreement, Krippendorff’s α",
    "icc": "reliability of the mean, ICC",
    "separation": "separation reliability",
}


def boxed(text: str) -> str:
    return f"{'!' * WIDTH}\n{text}\n{'!' * WIDTH}"


def report(result: dict[str, Any]) -> Iterator[str]:
    """The analysis in words and tables, line by line."""
    scan = result["scan"]
    yield f"{result['title']} ({result['study']})"
    yield (
        f"{wording.count(result['n_raters'], 'rater')} ({result['kind']}), "
        f"{wording.count(result['n_images'], 'image')}, "
        f"{wording.count(result['n_ratings'], 'rating')}"
    )
    yield (
        f"Scan “{scan['name']}”: layer {scan['layer']}, {scan['tail']} tail, "
        f"{scan['statistic']}, alpha_max {scan['alpha_max']:g}"
    )
    if result["other_kinds"]:
        yield f"Also rated by: {', '.join(result['other_kinds'])} (--raters)"
    yield ""
    yield from answer(result)
    for question in result["questions"]:
        yield ""
        yield from question_report(question)
    yield from family(result["tests"])
    yield from exclusions(result["multiverse"])


def answer(result: dict[str, Any]) -> Iterator[str]:
    """The headline, how certain it is, and the plan that it belongs to."""
    headline, plan = result["headline"], result["plan"]
    if headline is not None:
        yield headline["status"].upper()
        yield from wrapped(headline["sentence"])
        for warning in headline["warnings"]:
            yield from wrapped(f"Note: {warning}")
    if plan is None:
        yield from wrapped("No analysis plan was fixed: read this as exploratory.")
        return
    after = plan["n_ratings_before"]
    came = f"after {wording.count(after, 'answer')}" if after else "before any answer by people"
    yield from wrapped(
        f"Plan {plan['version']}, fixed {plan['fixed_at'][:10]} {came} "
        f"(SHA-256 {plan['sha256'][:12]}): {'kept' if plan['kept'] else 'departed from'}."
    )
    if (sample := plan.get("sample")) and not sample["is_final"]:
        yield from wrapped(
            f"Analysed so far: {sample['analysed']:,} of {sample['planned']:,} raters planned."
        )
    for each in plan["departures"]:
        yield from wrapped(
            f"Departure: {each['what']} planned {each['planned']}, done {each['done']}. "
            f"{each['why']}"
        )


def family(tests: list[dict[str, Any]]) -> Iterator[str]:
    """Every test with its corrected p."""
    if not tests:
        return
    yield ""
    yield "Every test, corrected"
    yield table_line("", "estimate", "95 % interval", "p", "corrected")
    for row in tests:
        # A scan's name can be anything; the layer tells enough here.
        name = f"{row['question']}, {row['predictor']}, {row['layer']}"
        adjusted = row["p_adjusted"]
        corrected = "–" if adjusted is None else wording.p_value(adjusted).removeprefix("p ")
        yield numbers_line(name, row, row["p"], corrected)
        yield f"    {row['model']}, {row['unit']}, {row['status']}"


def exclusions(multiverse: dict[str, Any] | None) -> Iterator[str]:
    """How far the headline hangs on whom the rules leave out."""
    if multiverse is None:
        return
    if len(multiverse["specifications"]) < 2:
        yield ""
        yield from wrapped(wording.ONE_ESTIMATE)
        return
    summary = multiverse["summary"]
    yield ""
    yield from wrapped(
        f"Under {wording.count(len(multiverse['specifications']), 'choice')} of whom to leave out "
        f"({summary['n']:,} combinations of rules) the estimate goes from "
        f"{wording.number(summary['lowest'])} to {wording.number(summary['highest'])}, median "
        f"{wording.number(summary['median'])} ({multiverse['unit']}, {multiverse['model']})."
    )
    for warning in multiverse["warnings"]:
        yield from wrapped(f"Note: {warning}")


def question_report(question: dict[str, Any]) -> Iterator[str]:
    yield f"{question['text']} ({question['measure']})"
    yield ""
    yield from wrapped(question["sentence"])
    yield ""
    yield table_line("", "estimate", "95 % interval", "p", "n")
    for row in question["associations"]:
        name = f"{row['predictor_label']}, {row['method_name'].capitalize()}’s "
        name += wording.SYMBOLS[row["method_name"]]
        yield estimate_line(name, row, row["p_permutation"], row["n"])
    for model in question["models"]:
        yield from model_lines(model)
    membership = question["membership"]
    n_images = membership["n_inside"] + membership["n_outside"]
    name = "in the group's subset, Cliff’s δ"
    yield estimate_line(name, membership, membership["p"], n_images)
    for key, agreement in question["reliability"].items():
        name = RELIABILITIES[key]
        yield estimate_line(name, agreement, agreement.get("p"), agreement["n_ratings"])
    yield ""
    yield from wrapped(
        f"Mean inside the group's subset {wording.number(membership['mean_inside'])} "
        f"(n = {membership['n_inside']:,}), outside "
        f"{wording.number(membership['mean_outside'])} (n = {membership['n_outside']:,}); "
        f"AUC {wording.number(membership['auc'])}."
    )
    for warning in warnings(question):
        yield from wrapped(f"Note: {warning}")


def model_lines(model: dict[str, Any]) -> Iterator[str]:
    """Odds ratios, or slopes, per standard deviation, of a mixed model."""
    for predictor in model["predictors"] if "estimates" in model else ():
        name = f"{predictor}_z"
        found = model["small_sample"]
        ratios = model["odds_ratios"]
        row = {
            "estimate": ratios[name][0] if ratios else model["estimates"][name],
            "interval": ratios[name][1:] if ratios else found["intervals"][name],
        }
        what = "odds ratio" if ratios else "slope"
        beside = " with the other" if len(model["predictors"]) > 1 else ""
        yield estimate_line(
            f"{model['name']}, {what} per SD of {predictor}{beside}",
            row,
            found["p_values"][name],
            model["n_ratings"],
        )


def table_line(name: str, estimate: str, interval: str, p: str, n: str) -> str:
    return f"  {name:<44}{estimate:>8}{interval:>16}{p:>12}{n:>12}"


def estimate_line(name: str, row: dict[str, Any], p: float | None, n: int) -> str:
    return numbers_line(name, row, p, f"{n:,}")


def numbers_line(name: str, row: dict[str, Any], p: float | None, last: str) -> str:
    interval = "–" if row["interval"] is None else wording.interval(row["interval"])
    return table_line(
        name,
        wording.number(row["estimate"]),
        interval,
        "–" if p is None else wording.p_value(p),
        last,
    )


def warnings(question: dict[str, Any]) -> list[str]:
    """What the reader should be told, each once, in the order of the figures."""
    reliability = question["reliability"]
    results = [question, *question["associations"], question["membership"], *reliability.values()]
    return list(dict.fromkeys(text for result in results for text in result["warnings"]))


def wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")
