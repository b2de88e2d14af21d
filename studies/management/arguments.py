"""What several commands take, and how they refuse."""

from django.core.management.base import CommandError

from studies.models import Study


def study_called(slug: str) -> Study:
    """The study called `slug`; CommandError lists the studies there are."""
    study = Study.objects.select_related("scan").filter(slug=slug).first()
    if study is None:
        slugs = list(Study.objects.order_by("slug").values_list("slug", flat=True))
        known = f"there are {', '.join(slugs)}" if slugs else "there are none yet"
        raise CommandError(f"no study is called {slug!r}; {known}")
    return study
