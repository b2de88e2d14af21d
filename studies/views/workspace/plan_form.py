"""The form that asks for a plan."""

from collections.abc import Sequence
from typing import Any

from django import forms

from studies.models import ParticipantKind, Question, Study
from studies.services.planning import PREDICTORS, PlanRequest, plannable_questions
from studies.views.workspace.plan_fields import NumberList, in_list, shown

MAX_SEED = 2**31 - 1
COST = PlanRequest().cost


def number(least: float, most: float, **more: Any) -> forms.FloatField:
    """A number between two limits; any decimals."""
    widget = forms.NumberInput(attrs={"step": "any"})
    return forms.FloatField(min_value=least, max_value=most, widget=widget, **more)


def kind(question: Question) -> str:
    return question.kind.replace("_", " ")


class PlanForm(forms.Form):
    """A plan to be made. What is left empty is the pilot's, or the default that is shown."""

    pilot = forms.ChoiceField(
        required=False,
        label="Pilot",
        help_text="A study whose ratings say how large effect and spread are. What you give "
        "yourself below goes before what they say.",
    )
    raters = forms.ChoiceField(
        required=False,
        label="Whose ratings",
        choices=[
            ("", "Pilot participants’, else people’s, else simulated"),
            (ParticipantKind.PILOT.value, "Pilot participants’"),
            (ParticipantKind.PERSON.value, "People’s"),
            (ParticipantKind.SIMULATED.value, "Simulated raters’"),
        ],
    )
    predictor = forms.ChoiceField(
        label="Compared with",
        initial=PREDICTORS[0],
        choices=list(zip(PREDICTORS, ("Subset size", "Score"), strict=True)),
    )
    safeguard = number(
        1,
        99,
        required=False,
        label="Safeguard level, %",
        help_text="Plans for the near limit of the pilot’s interval at this level in place of its "
        "estimate, which is uncertain and often too large; 60 is usual. Empty: the estimate.",
    )
    effects = NumberList(
        kind=float,
        least=-3,
        most=3,
        required=False,
        label="Effects to find",
        help_text="Log odds of a higher answer per SD of the predictor: 0.2 is small (odds ratio "
        "1.22), 0.6 medium (1.82), 1 large (2.72), as r = 0.1, 0.3, 0.5 on the latent scale. "
        "Several are planned side by side; 0 gives the rate of false alarms.",
    )
    reliability = number(
        0.01,
        0.99,
        required=False,
        label="Reliability",
        help_text="ICC, in place of the SD of images.",
    )
    reliability_of = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=1000,
        label="of a mean of ratings",
        help_text="Of how many ratings the mean is.",
    )
    image_sd = number(0, 10, required=False, label="SD of images", help_text="Beyond the effect.")
    rater_sd = number(
        0, 10, required=False, label="SD of raters", help_text="Some rate higher throughout."
    )
    slope_sd = number(
        0, 10, required=False, label="SD of slopes", help_text="Of the effect between raters."
    )
    points = forms.IntegerField(
        required=False,
        min_value=2,
        max_value=15,
        label="Points of the scale",
        help_text="All chosen equally often.",
    )
    proportions = NumberList(
        kind=float,
        least=0.001,
        most=1_000_000,
        each_once=False,
        fewest_values=2,
        most_values=15,
        required=False,
        label="Or shares of the answers",
        help_text="One number for each point: 5, 10, 20, 30, 20, 10, 5.",
    )
    images = NumberList(
        kind=int,
        least=4,
        most=10_000,
        label="Images",
        initial=in_list(PlanRequest.images),
        help_text="Several numbers are planned side by side: 40, 80.",
    )
    ratings_per_image = NumberList(
        kind=int,
        least=2,
        most=1_000,
        label="Ratings of each image",
        initial=in_list(PlanRequest.ratings_per_image),
        help_text="By as many people; with a pilot of forced choice, comparisons of each image.",
    )
    trials = forms.IntegerField(
        required=False,
        min_value=2,
        max_value=1_000,
        label="Images that each person rates",
        help_text="At most; how many people it takes follows from it.",
    )
    n_raters = NumberList(
        kind=int,
        least=2,
        most=10_000,
        required=False,
        label="Or people who take part",
        help_text="Everybody then rates as many images as it takes.",
    )
    currency = forms.CharField(
        max_length=8, initial=COST.currency, help_text="A sign or letters: £, EUR."
    )
    hourly_pay = number(0, 1_000_000, label="Pay for an hour", initial=shown(COST.hourly_pay))
    seconds_per_trial = number(
        0.1, 3_600, label="Seconds for one rating", initial=shown(COST.seconds_per_trial)
    )
    overhead_minutes = number(
        0,
        600,
        label="Minutes for all else",
        initial=shown(COST.overhead_seconds / 60),
        help_text="Consent, instructions, debrief.",
    )
    fee = number(0, 500, label="Service’s fee, % of pay", initial=shown(100 * COST.fee_rate))
    vat = number(0, 100, label="VAT, %", initial=shown(100 * COST.vat_rate))
    vat_on = forms.ChoiceField(
        label="VAT is on",
        initial=COST.vat_on,
        choices=[("fee", "The fee"), ("total", "Pay and fee")],
    )
    lost = number(
        0,
        90,
        label="Paid but unusable, %",
        initial=shown(100 * COST.lost_share),
        help_text="Others are recruited in their place.",
    )
    n_replicates = forms.IntegerField(
        min_value=10,
        max_value=10_000,
        initial=PlanRequest.n_replicates,
        label="Simulated studies of each design",
        help_text="A power of 80 % is known to ± 8 points with 100 of them, ± 2.5 with 1,000, "
        "which takes ten times as long.",
    )
    power = number(50, 99.9, label="Power wanted, %", initial=80)
    alpha = number(0.0001, 0.5, label="α", initial=PlanRequest.alpha)
    confidence = number(
        50,
        99.9,
        label="Level of the interval, %",
        initial=shown(100 * PlanRequest.confidence_level),
        help_text="The interval whose width is planned.",
    )
    slopes = forms.ChoiceField(
        required=False,
        label="Analysed",
        help_text="Without a plan: with a slope.",
        choices=[
            ("", "As its analysis plan says"),
            ("with", "With a rater slope"),
            ("without", "Without a rater slope"),
        ],
    )
    link = forms.ChoiceField(
        initial=PlanRequest.link, choices=[("logit", "Logit"), ("probit", "Probit")]
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=MAX_SEED,
        initial=PlanRequest.seed,
        help_text="The same seed gives the same numbers.",
    )
    name = forms.CharField(
        required=False,
        max_length=120,
        label="Name of the plan",
        help_text="Left empty, it is named after its designs.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    workspace = forms.ChoiceField(
        required=False, help_text="Whose members see the plan; a pilot’s plan is its study’s."
    )

    def __init__(
        self, *args: Any, studies: Sequence[Study], workspaces: dict[str, Any], **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.studies = {study.pk: study for study in studies}
        self.workspaces = workspaces
        choice: Any = self.fields["pilot"]
        choice.choices = [
            ("", "None: what is given below, else defaults"),
            *(
                (f"{study.pk}:{question.key}", f"{study.title}: {question.text} ({kind(question)})")
                for study in studies
                for question in plannable_questions(study)
            ),
        ]
        choice = self.fields["workspace"]
        choice.choices = [(key, row.name) for key, row in workspaces.items()]
        if len(workspaces) < 2:
            del self.fields["workspace"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for one, other, words in (
            ("reliability", "image_sd", "Give the reliability or the SD of images, not both."),
            ("points", "proportions", "Give the points or the shares, not both."),
            ("trials", "n_raters", "Give the images per person or the people, not both."),
        ):
            if given.get(one) is not None and given.get(other) is not None:
                self.add_error(other, words)
        pair = [given.get(name) is None for name in ("reliability", "reliability_of")]
        if pair[0] != pair[1] and not {"reliability", "reliability_of"} & set(self.errors):
            missing = "reliability" if pair[0] else "reliability_of"
            self.add_error(
                missing, "A reliability is that of the mean of so many ratings: give both."
            )
        return given
