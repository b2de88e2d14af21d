"""One error for every rule of the domain that a request, command or API call can break."""


class DomainError(Exception):
    """A rule was broken and nothing was changed.

    ``code`` is stable and meant for programs; ``detail`` is one sentence for people;
    ``fields`` names what was wrong with each field, where there are fields.
    """

    def __init__(self, code: str, detail: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fields = fields or {}
