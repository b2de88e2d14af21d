"""The images of a comparison in one column, from left to right."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Aggregate, JSONField, OuterRef, Subquery

from studies.models import TrialImage


class ByPlace(Aggregate):
    """An object of place → value; both databases build it, neither promises an order."""

    function = "JSON_GROUP_OBJECT"
    output_field = JSONField()
    allow_distinct = False

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_OBJECT_AGG", **context)


def compared_images(trial: str, value: str) -> Subquery:
    """`value` of each image that the trial at the path `trial` compares, by place, else NULL.

    `value` is a path from `TrialImage`.
    """
    shown = TrialImage.objects.filter(trial=OuterRef(trial)).order_by().values("trial")
    return Subquery(shown.annotate(by_place=ByPlace("place", value)).values("by_place"))


def left_to_right(by_place: Mapping[str, Any] | None) -> list[Any]:
    """The values of `compared_images` in the order of their places."""
    return [value for _, value in sorted((by_place or {}).items(), key=lambda each: int(each[0]))]
