"""Lists come in pages of bounded size."""

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request


class Pages(PageNumberPagination):
    page_size = 100
    max_page_size = 1000
    page_size_query_param = "page_size"
    page_size_query_description = f"How many rows on a page, from 1 to {max_page_size}."
    invalid_page_message = "page must be the number of a page there is; got “{page_number}”"

    def get_page_size(self, request: Request) -> int:
        """The size asked for. One out of range is refused: silently another would mislead."""
        raw = request.query_params.get(self.page_size_query_param)
        if raw is None:
            return self.page_size
        # Three or four digits at most: int() never sees a long one.
        n = int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 4 else 0
        if not 1 <= n <= self.max_page_size:
            raise ValidationError(
                {
                    self.page_size_query_param: "page_size must be a whole number from 1 to "
                    f"{self.max_page_size}; got “{raw}”"
                }
            )
        return n
