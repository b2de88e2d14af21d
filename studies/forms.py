"""What researchers fill in."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from studies.models import ImageSet, Process, Statistic, Tail
from studies.queries import ImageSetSummary
from studies.services.scans import MIN_HELD_OUT, N_REPLICATES, ScanRequest, shared_layers

MAX_SEED = MAX_COUNT = 2**31 - 1
MAX_RESTARTS = 1000
MAX_REPLICATES = 100_000


class OneSet(forms.ModelChoiceField):
    """A set to choose, with what is in it."""

    summaries: dict[int, ImageSetSummary] = {}

    def label_from_instance(self, image_set: Any) -> str:
        summary = self.summaries.get(image_set.pk)
        return f"{image_set.name} ({contents(summary)})" if summary else image_set.name


class SeveralSets(OneSet, forms.ModelMultipleChoiceField):
    """Sets to choose, with what is in each."""

    widget = forms.CheckboxSelectMultiple


def contents(summary: ImageSetSummary) -> str:
    """How many images of which process: 500 creative."""
    return ", ".join(f"{n:,} {process}" for process, n in summary.processes.items()) or "empty"


class ScanForm(forms.Form):
    """A scan to be made: which sets, which layer, and how."""

    name = forms.CharField(
        required=False,
        max_length=120,
        help_text="Left empty, it is named after layer, tail and statistic.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    background = OneSet(
        queryset=ImageSet.objects.none(),
        empty_label="Choose a set",
        error_messages={"required": "Choose the set that others are compared with."},
        help_text="Normal images that every activation is compared with.",
    )
    test_sets = SeveralSets(
        queryset=ImageSet.objects.none(),
        label="Sets to scan",
        error_messages={"required": "Choose at least one set."},
        help_text="Their images are scanned one by one, and all of them together as one group.",
    )
    held_out = SeveralSets(
        queryset=ImageSet.objects.none(),
        required=False,
        label="Held-out normal sets",
        help_text="Other normal images of the same model. With them every score gets a p-value: "
        "how often normal images score as high. The group needs as many of them as there are "
        f"images to scan; single images need {MIN_HELD_OUT}.",
    )
    layer = forms.ChoiceField(help_text="One that all chosen sets keep activations of.")
    tail = forms.ChoiceField(
        choices=Tail.choices,
        initial=Tail.UPPER,
        help_text="Which activations are unusual: high ones, low ones, or both.",
    )
    statistic = forms.ChoiceField(choices=Statistic.choices, initial=Statistic.BERK_JONES)
    alpha_max = forms.FloatField(
        initial=0.5,
        label="Largest α",
        help_text="Above 0, at most 1: the highest p-value of an activation that may count.",
    )
    n_restarts = forms.IntegerField(
        initial=10,
        min_value=0,
        max_value=MAX_RESTARTS,
        label="Restarts",
        help_text="Random starts of the group search. More find better subsets, and take longer.",
    )
    n_replicates = forms.IntegerField(
        initial=N_REPLICATES,
        min_value=MIN_HELD_OUT,
        max_value=MAX_REPLICATES,
        label="Null groups",
        help_text="Groups of normal images that are scanned for the group’s p-value, which is at "
        "least 1 divided by one more than this.",
    )
    seed = forms.IntegerField(
        initial=0,
        min_value=0,
        max_value=MAX_SEED,
        help_text="Of all random draws. The same seed gives the same scan.",
    )
    max_images = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_COUNT,
        label="Most images",
        help_text="In the group’s subset.",
    )
    max_nodes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_COUNT,
        label="Most nodes",
        help_text="In the group’s subset.",
    )

    def __init__(
        self,
        *args: Any,
        sets: QuerySet[ImageSet],
        summaries: Sequence[ImageSetSummary],
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        by_key = {summary.image_set.pk: summary for summary in summaries}
        normal = [key for key, each in by_key.items() if set(each.processes) == {Process.NORMAL}]
        for name, rows in {
            "background": sets,
            "test_sets": sets,
            "held_out": sets.filter(pk__in=normal),
        }.items():
            field: Any = self.fields[name]
            field.summaries = by_key
            field.queryset = rows
        self.layers = {str(key): each.image_set.layers for key, each in by_key.items()}
        every = dict.fromkeys(layer for layers in self.layers.values() for layer in layers)
        layer_field: Any = self.fields["layer"]
        layer_field.choices = [(layer, layer) for layer in every]

    def clean_alpha_max(self) -> float:
        alpha_max = self.cleaned_data["alpha_max"]
        if not 0 < alpha_max <= 1:
            raise forms.ValidationError("It must be above 0 and at most 1.")
        return alpha_max

    def clean(self) -> dict[str, Any]:
        """A layer that some chosen set lacks is refused, with those that all of them keep."""
        given = super().clean() or self.cleaned_data
        if not {"background", "test_sets", "layer"} <= set(given):
            return given
        chosen = [given["background"], *given["test_sets"], *given.get("held_out", [])]
        shared = shared_layers(chosen)
        if given["layer"] not in shared:
            lacking = [f"“{each.name}”" for each in chosen if given["layer"] not in each.layers]
            self.add_error(
                "layer",
                f"{', '.join(lacking)} keeps no activations of {given['layer']}. The chosen sets "
                f"have in common: {', '.join(shared) or 'no layer'}.",
            )
        return given

    def request(self, taken: set[str]) -> ScanRequest:
        """What was asked for; a name that was left open is none of those `taken`."""
        given = dict(self.cleaned_data)
        given["name"] = given["name"].strip() or proposed_name(given, taken)
        for name in ("test_sets", "held_out"):
            given[name] = list(given[name].order_by("pk"))
        return ScanRequest(workspace=given["background"].workspace, **given)


def proposed_name(given: dict[str, Any], taken: set[str]) -> str:
    """A name that says what is scanned, numbered where it is taken."""
    statistic = Statistic(given["statistic"]).label
    base = f"{given['layer'][:60]}, {Tail(given['tail']).label.lower()} tail, {statistic}"
    number = 2
    name = base
    while name in taken:
        name = f"{base} ({number})"
        number += 1
    return name
