"""``python manage.py plan_study``: how many images and raters, and what they cost."""

import csv
import json
import os
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from studies.errors import DomainError
from studies.figures import Format, plan_curves, render
from studies.management.arguments import study_called
from studies.management.plan_report import report
from studies.management.progress import Progress
from studies.models import ParticipantKind
from studies.services.planning import (
    PREDICTORS,
    Pilot,
    PlanRequest,
    StudyPlan,
    cost_rates,
    make_plan,
    pilot_of_study,
    unit_of,
    width_unit_of,
)

QUICK_REPLICATES = 25
FORMATS: dict[str, Format] = {".svg": "svg", ".png": "png", ".pdf": "pdf"}


def numbers(kind: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """A list with commas, for argparse, which names the argument and the value if it is none."""

    def parse(text: str) -> tuple[Any, ...]:
        return tuple(kind(part) for part in text.split(","))

    parse.__name__ = f"list of {kind.__name__}s with commas"
    return parse


class Command(BaseCommand):
    help = (
        "Simulate studies of several sizes and say how often each would find the effect, how "
        "wide its interval would be, and what participants would cost. Lists have commas: "
        "--images 40,80; one that begins with a minus needs a sign of equality: "
        "--thresholds=-1,0,1. All numbers are on the latent scale, the effect in log odds per "
        "SD of the predictor over images."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_designs(parser)
        self.add_assumptions(parser)
        self.add_pilot(parser)
        self.add_cost(parser)
        self.add_simulation(parser)
        self.add_output(parser)

    def add_designs(self, parser: ArgumentParser) -> None:
        group = parser.add_argument_group("designs, of which all combinations are planned")
        whole = numbers(int)
        group.add_argument(
            "--images", type=whole, default=PlanRequest.images, metavar="N,…", help="(40,80)"
        )
        group.add_argument(
            "--ratings-per-image",
            type=whole,
            default=PlanRequest.ratings_per_image,
            metavar="N,…",
            help="raters of each image (5,10,20)",
        )
        size = group.add_mutually_exclusive_group()
        size.add_argument("--raters", type=whole, metavar="N,…", help="how many take part")
        size.add_argument(
            "--trials",
            type=int,
            metavar="N",
            help="most images that a rater rates; raters follow from it (40, or all)",
        )

    def add_assumptions(self, parser: ArgumentParser) -> None:
        group = parser.add_argument_group("assumptions, in place of defaults or the pilot's")
        several = numbers(float)
        group.add_argument(
            "--effect",
            type=several,
            metavar="X,…",
            help="log odds per SD of the predictor (0.4); 0 gives the type I error",
        )
        group.add_argument("--rater-sd", type=float, metavar="SD", help="(1.0)")
        images = group.add_mutually_exclusive_group()
        images.add_argument(
            "--image-sd", type=float, metavar="SD", help="beyond the predictor (0.8)"
        )
        images.add_argument(
            "--reliability",
            type=float,
            nargs=2,
            metavar=("ICC", "K"),
            help="in place of --image-sd: ICC of the mean of K ratings",
        )
        group.add_argument(
            "--slope-sd", type=float, metavar="SD", help="of the effect between raters (0.3)"
        )
        scale = group.add_mutually_exclusive_group()
        scale.add_argument(
            "--proportions",
            type=several,
            metavar="X,…",
            help="share of each category (seven equal ones)",
        )
        scale.add_argument(
            "--thresholds", type=several, metavar="X,…", help="in place of --proportions"
        )
        group.add_argument("--link", choices=("logit", "probit"), default=PlanRequest.link)

    def add_pilot(self, parser: ArgumentParser) -> None:
        group = parser.add_argument_group("pilot")
        group.add_argument("--pilot", metavar="SLUG", help="take assumptions from this study")
        group.add_argument(
            "--pilot-raters",
            choices=ParticipantKind.values,
            help="whose ratings (pilot participants', else people's, else simulated ones)",
        )
        group.add_argument(
            "--question",
            metavar="KEY",
            help="(the analysis plan's, else the first that can be planned with)",
        )
        group.add_argument(
            "--predictor", choices=PREDICTORS, help="(the analysis plan's, else size)"
        )
        group.add_argument(
            "--safeguard",
            type=float,
            metavar="LEVEL",
            help="plan for the near limit of the pilot's interval at this level, such as 0.6",
        )

    def add_cost(self, parser: ArgumentParser) -> None:
        group = parser.add_argument_group("cost")
        rates = PlanRequest().cost
        for name, meaning in (
            ("seconds_per_trial", "time for one rating"),
            ("overhead_seconds", "time of a participant for all else"),
            ("hourly_pay", "pay for an hour"),
            ("fee_rate", "the service's fee, as a share of the pay"),
            ("vat_rate", "tax, as a share of the fee (--vat-on)"),
            ("lost_share", "participants who are paid and cannot be used, as a share"),
        ):
            default = getattr(rates, name)
            group.add_argument(
                f"--{name.replace('_', '-')}",
                type=float,
                default=default,
                metavar="X",
                help=f"{meaning} ({default:g})",
            )
        group.add_argument("--vat-on", choices=("fee", "total"), default=rates.vat_on)
        group.add_argument("--currency", default=rates.currency, help="a label (%(default)s)")

    def add_simulation(self, parser: ArgumentParser) -> None:
        group = parser.add_argument_group("simulation")
        n = PlanRequest.n_replicates
        group.add_argument(
            "--replicates", type=int, metavar="N", help=f"simulated studies per design ({n})"
        )
        group.add_argument(
            "--quick", action="store_true", help=f"a first look: {QUICK_REPLICATES} studies"
        )
        group.add_argument("--alpha", type=float, default=PlanRequest.alpha, help="(0.05)")
        group.add_argument(
            "--confidence-level",
            type=float,
            default=PlanRequest.confidence_level,
            help="of the interval whose width is planned (0.95)",
        )
        group.add_argument("--power", type=float, default=0.8, help="what is wanted (0.8)")
        group.add_argument(
            "--fit-slopes",
            action=BooleanOptionalAction,
            help="whether the analysis has a rater slope (where --slope-sd is not 0)",
        )
        group.add_argument("--seed", type=int, default=PlanRequest.seed, help="(0)")
        group.add_argument(
            "--workers",
            type=int,
            default=os.cpu_count() or 1,
            help="processes; the numbers do not depend on it (%(default)s)",
        )

    def add_output(self, parser: ArgumentParser) -> None:
        group = parser.add_argument_group("output")
        form = group.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="print the plan as JSON")
        form.add_argument("--csv", action="store_true", help="print a row per design as CSV")
        group.add_argument(
            "--figure", type=Path, metavar="FILE", help="curves, as .svg, .pdf or .png by the name"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_bad_output(options)
        progress = Progress(sys.stderr if self.stderr.isatty() else self.stderr)  # type: ignore[arg-type]
        try:
            pilot = self.pilot(options)
            plan = make_plan(
                request=request_from(options),
                pilot=pilot,
                progress=lambda done, total: progress(done, total, "simulating studies"),
            )
        except DomainError as error:
            raise CommandError(error.detail) from error
        finally:
            progress.clear()
        if options["figure"] is not None:
            write_figure(plan, options["figure"], options["power"])
        if options["json"]:
            self.stdout.write(json.dumps(plan.to_dict(), indent=2, ensure_ascii=False))
        elif options["csv"]:
            rows = plan.rows()
            writer = csv.DictWriter(self.stdout, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: in_csv(value) for name, value in row.items()} for row in rows)
        else:
            for line in report(plan, options["power"]):
                self.stdout.write(line)
            if options["figure"] is not None:
                self.stdout.write(f"\nCurves are in {options['figure']}.")

    def pilot(self, options: dict[str, Any]) -> Pilot | None:
        if options["pilot"] is None:
            for name in ("pilot_raters", "question", "predictor"):
                if options[name] is not None:
                    argument = name.replace("_", "-")
                    raise CommandError(
                        f"--{argument} must come with --pilot; got {options[name]!r} alone"
                    )
            return None
        return pilot_of_study(
            study=study_called(options["pilot"]),
            raters=options["pilot_raters"],
            question=options["question"],
            predictor=options["predictor"],
            link=options["link"],
        )


def in_csv(value: Any) -> Any:
    """As exports write it. No text here is anybody's free choice, so that none is a formula."""
    return str(value).lower() if isinstance(value, bool) else value


def refuse_bad_output(options: dict[str, Any]) -> None:
    """Say before minutes of simulation what would fail after them."""
    if not 0 < options["power"] < 1:
        raise CommandError(f"power must be between 0 and 1, exclusive; got {options['power']!r}")
    figure = options["figure"]
    if figure is None:
        return
    if figure.suffix.lower() not in FORMATS:
        raise CommandError(f"figure must end in {', '.join(FORMATS)}; got {figure}")
    if not figure.parent.is_dir():
        raise CommandError(f"figure must lie in a folder that exists; got {figure}")


def request_from(options: dict[str, Any]) -> PlanRequest:
    """DomainError where a rate of the cost is out of range."""
    replicates = options["replicates"]
    if replicates is None:
        replicates = QUICK_REPLICATES if options["quick"] else PlanRequest.n_replicates
    same = (
        "images",
        "ratings_per_image",
        "raters",
        "trials",
        "proportions",
        "thresholds",
        "rater_sd",
        "image_sd",
        "slope_sd",
        "link",
        "safeguard",
        "alpha",
        "confidence_level",
        "seed",
    )
    reliability = options["reliability"]
    return PlanRequest(
        **{name: options[name] for name in same},
        effects=options["effect"],
        reliability=None if reliability is None else tuple(reliability),
        rater_slopes=options["fit_slopes"],
        n_replicates=replicates,
        n_workers=options["workers"],
        cost=cost_rates(
            seconds_per_trial=options["seconds_per_trial"],
            overhead_seconds=options["overhead_seconds"],
            hourly_pay=options["hourly_pay"],
            fee_rate=options["fee_rate"],
            vat_rate=options["vat_rate"],
            vat_on=options["vat_on"],
            lost_share=options["lost_share"],
            currency=options["currency"],
        ),
    )


def write_figure(plan: StudyPlan, path: Path, target: float) -> None:
    chart = plan_curves(
        plan.plan.frame(),
        target=target,
        alpha=plan.plan.alpha,
        confidence_level=plan.plan.confidence_level,
        unit=unit_of(plan),
        width_unit=width_unit_of(plan),
    )
    try:
        path.write_bytes(render(chart, FORMATS[path.suffix.lower()]))
    except OSError as error:
        raise CommandError(f"figure could not be written to {path}: {error}") from error
