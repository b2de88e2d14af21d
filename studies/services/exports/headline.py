"""What an export's scripts need to compute the headline again, in a form that base R reads too."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from studies import stats
from studies.models import Study
from studies.services import plans
from studies.services.analysis.associations import USUAL_DRAWS
from studies.services.analysis.planned import content_of, primary_test

LIBRARY = sorted(Path(stats.__file__).parent.glob("*.py"))
LICENSE = Path(settings.BASE_DIR) / "LICENSE"


def csv_bytes(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def planned(study: Study) -> bytes:
    """The test that the headline is, by the plan that counts or by the default; none of words.

    No value is free text: a spreadsheet may open the file.
    """
    plan = plans.plan_of(study)
    content = content_of(plan, study)
    test = primary_test(content)
    values: dict[str, Any] = {
        "plan_version": plan.version if plan else "",
        "decisions": str(bool(content["exclusions"]["decisions"])).lower(),
        "seed": content["seed"],
        **USUAL_DRAWS,
    }
    if test is not None:
        values |= {
            "question": test.question,
            "predictor": test.predictor,
            "model": test.model,
            "link": test.link,
            "rater_slopes": str(test.slopes).lower(),
            "covariates": " ".join(test.covariates),
        }
    return csv_bytes([("name", "value"), *values.items()])
