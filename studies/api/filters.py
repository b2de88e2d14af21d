"""What a list can be narrowed by, and what is said where a filter is not one of those."""

from typing import Any

from rest_framework import serializers

from studies.api.pagination import Pages
from studies.models import ParticipantKind, ParticipantState, Process, Study, TrialRole

PAGING = {Pages.page_query_param, Pages.page_size_query_param}


def one_of(name: str, allowed: list[str], help_text: str) -> serializers.ChoiceField:
    message = f"{name} must be one of {', '.join(allowed)}; got “{{input}}”"
    return serializers.ChoiceField(
        allowed, required=False, help_text=help_text, error_messages={"invalid_choice": message}
    )


class Filters(serializers.Serializer):
    """Query parameters. One that a list does not have is refused: ignored, it would mislead."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        allowed = [*self.fields, *sorted(PAGING)]
        unknown = sorted(set(self.initial_data) - set(allowed))
        if unknown:
            known = ", ".join(allowed)
            raise serializers.ValidationError(
                {name: f"{name} is not a filter here; allowed are {known}" for name in unknown}
            )
        return attrs


class ImageFilters(Filters):
    process = one_of("process", Process.values, "Only images made in this way.")


class ScanFilters(Filters):
    study = serializers.SlugField(
        required=False, help_text="Only the scan that the study with this slug is about."
    )

    def validate_study(self, slug: str) -> Study:
        """`visible` in the context holds the studies that the user may see."""
        study = self.context["visible"].filter(slug=slug).first()
        if study is None:
            raise serializers.ValidationError(
                f"study must be the slug of one of your studies; got “{slug}”"
            )
        return study


class ParticipantFilters(Filters):
    kind = one_of("kind", ParticipantKind.values, "Only participants of this kind.")
    state = one_of("state", ParticipantState.values, "Only participants in this state.")
    excluded = one_of(
        "excluded", ["true", "false"], "Only those whom a researcher excluded, or only others."
    )


class ResponseFilters(Filters):
    kind = one_of("kind", ParticipantKind.values, "Only answers of this kind of participants.")
    process = one_of("process", Process.values, "Only answers about images made in this way.")
    role = one_of("role", TrialRole.values, "Only answers to trials with this role.")
    question = serializers.CharField(
        required=False, help_text="Only answers to the question with this key."
    )

    def validate_question(self, key: str) -> str:
        """`keys` in the context holds the keys of the study's questions."""
        keys = self.context["keys"]
        if key not in keys:
            raise serializers.ValidationError(
                f"question must be one of {', '.join(keys) or 'none, there are none'}; got “{key}”"
            )
        return key
