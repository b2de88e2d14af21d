"""Parts of addresses that are more than text."""

from studies.models.fields import PUBLIC_ID


class PublicIdConverter:
    """An unguessable id. What cannot be one is not found, and never reaches the database."""

    regex = PUBLIC_ID.pattern

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
