"""The form in which an analysis plan is written."""

import json
from typing import Any

from django import forms

from studies.models import Study
from studies.quality import RULES, amount
from studies.services.plans import family_of_design
from studies.services.plans.content import CORRECTIONS, LINKS, LINKS_OF, MODELS, PREDICTORS
from studies.services.plans.reading import MAX_EFFECT, MAX_NOTES, MAX_SEED, MAX_TARGET
from studies.services.plans.subject import Subject
from studies.services.plans.words import SHORT_MODELS

PREDICTOR_WORDS = {"size": "Subset size", "score": "Score"}
CORRECTION_WORDS = {"holm": "Holm", "fdr_bh": "Benjamini–Hochberg"}

TEST_NAMES = ("question", "predictor", "layer", "scan", "model")

# Where a refusal of a part of the plan is shown; others stand above the form.
FIELD_OF = {
    "primary.question": "question",
    "primary.predictor": "predictor",
    "primary.model": "model",
    "primary.link": "link",
    "primary.rater_slopes": "rater_slopes",
    "primary.covariates": "covariate",
    "family": "family",
    "alpha": "alpha",
    "correction": "correction",
    "exploratory_correction": "exploratory_correction",
    "exclusions.rules": "rules",
    "exclusions.decisions": "decisions",
    "seed": "seed",
    "n_target": "n_target",
    "smallest_effect": "smallest_effect",
    "notes": "notes",
}
# Fields in the order of the page.
PARTS = {
    "Primary test": ("question", "predictor", "model", "link", "rater_slopes", "covariate"),
    "Family of tests": ("family", "alpha", "correction", "exploratory_correction"),
    "Who is left out": ("decisions", "rules"),
    "Sample and words": ("n_target", "smallest_effect", "notes", "seed"),
}


class AnalysisPlanForm(forms.Form):
    """What is tested, how, on whom; `content` is the plan that it asks for."""

    question = forms.ChoiceField(label="Question")
    predictor = forms.ChoiceField(
        choices=[(name, PREDICTOR_WORDS[name]) for name in PREDICTORS],
        help_text="Of each image, from the study’s scan.",
    )
    model = forms.ChoiceField(
        choices=[(name, f"{words[0].upper()}{words[1:]}") for name, words in SHORT_MODELS.items()],
        help_text="Cumulative link for ordered answers and labels, linear for numbers, Rao–Kupper "
        "for choices between two images; a rank correlation of the images’ means for any.",
    )
    link = forms.ChoiceField(
        choices=[("", "None"), *((name, name.capitalize()) for name in LINKS)],
        required=False,
        help_text="Of a cumulative link mixed model; Rao and Kupper’s has the logit, others none.",
    )
    rater_slopes = forms.BooleanField(
        required=False,
        label="A slope for each rater",
        help_text="Mixed models only. Without it, raters who differ in how they go by the "
        "predictor pass for evidence.",
    )
    covariate = forms.BooleanField(
        required=False,
        label="Hold the other predictor constant",
        help_text="Mixed models only: size given score, or score given size.",
    )
    family = forms.MultipleChoiceField(
        required=False,
        label="Further confirmatory tests",
        widget=forms.CheckboxSelectMultiple,
        help_text="The primary test is always one. All else is exploratory.",
    )
    alpha = forms.FloatField(label="Level α", help_text="Above 0, at most 0.5; two-sided.")
    correction = forms.ChoiceField(
        choices=[(name, CORRECTION_WORDS[name]) for name in CORRECTIONS],
        label="Correction of the confirmatory tests",
    )
    exploratory_correction = forms.ChoiceField(
        choices=[(name, CORRECTION_WORDS[name]) for name in CORRECTIONS],
        label="Correction of the exploratory tests",
    )
    decisions = forms.BooleanField(
        required=False,
        label="Whom researchers exclude, with a reason",
        help_text="If not, their ratings stay in the analysis all the same.",
    )
    rules = forms.MultipleChoiceField(
        required=False,
        label="Whom any of these rules marks",
        widget=forms.CheckboxSelectMultiple,
        help_text="By the limits in force when the plan is fixed. Results show the estimate under "
        "every combination of the rules, whichever are chosen.",
    )
    n_target = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_TARGET, label="Participants wanted"
    )
    smallest_effect = forms.FloatField(
        required=False,
        label="Smallest effect of interest",
        help_text=f"On the model’s scale per standard deviation; above 0, at most {MAX_EFFECT}.",
    )
    notes = forms.CharField(
        required=False,
        max_length=MAX_NOTES,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What a reader of the results should know was decided beforehand.",
    )
    seed = forms.IntegerField(
        min_value=0, max_value=MAX_SEED, help_text="Of bootstraps and permutations."
    )

    def __init__(
        self, *args: Any, study: Study, written: dict[str, Any] | None = None, **more: Any
    ) -> None:
        """`written` is the plan to begin with; its tests are among the choices."""
        if written is not None:
            more["initial"] = initial_of(written)
        super().__init__(*args, **more)
        assert study.scan is not None, "the view has checked"
        subject = Subject(study, study.scan)
        self.kinds = {key: each.kind for key, each in subject.questions.items()}
        texts = {key: f"{each.text} ({key})" for key, each in subject.questions.items()}
        tests = {key_of(each): test_words(each) for each in family_of_design(study)}
        tests |= {key_of(each): test_words(each) for each in (written or {}).get("family", [])}
        rules = [
            (rule.name, f"{rule.title}: {'less' if rule.least else 'more'} than "
             f"{amount(subject.limits[rule.name], rule.limit.unit)}")
            for rule in RULES
            if subject.limits[rule.name] is not None
        ]  # fmt: skip
        for name, choices in (
            ("question", list(texts.items())), ("family", list(tests.items())), ("rules", rules)
        ):  # fmt: skip
            field: Any = self.fields[name]
            field.choices = choices
        self.own_scan = subject.scan

    def content(self) -> dict[str, Any]:
        """The plan that was asked for, to be checked as a whole."""
        given = self.cleaned_data
        primary = {
            "question": given["question"],
            "predictor": given["predictor"],
            "layer": self.own_scan.layer,
            "scan": self.own_scan.name,
            "model": given["model"],
        }
        chosen = [test_of(key) for key in given["family"]]
        # A test of the same question and predictor is the primary itself.
        others = [
            each
            for each in chosen
            if any(each[name] != primary[name] for name in ("question", "predictor", "scan"))
        ]
        other_predictor = [each for each in PREDICTORS if each != given["predictor"]]
        return {
            "primary": primary
            | {
                "link": given["link"] or None,
                "rater_slopes": given["rater_slopes"],
                "covariates": other_predictor if given["covariate"] else [],
            },
            "family": [primary, *others],
            "exclusions": {"rules": given["rules"], "decisions": given["decisions"]},
            **{
                name: given[name]
                for name in (
                    "alpha", "correction", "exploratory_correction", "seed", "n_target",
                    "smallest_effect", "notes",
                )
            },
        }  # fmt: skip

    def refuse(self, fields: dict[str, str], detail: str) -> None:
        """Show what a plan was refused for, beside the fields that it is about."""
        if not fields:
            self.add_error(None, detail)
        for path, words in fields.items():
            name = FIELD_OF.get(path) or ("family" if path.startswith("family") else None)
            self.add_error(name, self.plainer(path, words))

    def plainer(self, path: str, words: str) -> str:
        """The refusals that a form can meet, in the form's own words."""
        kind = self.kinds.get(self.cleaned_data.get("question", ""), "")
        if path == "primary.model":
            fitting = ", ".join(SHORT_MODELS[each] for each in MODELS.get(kind, ()))
            return f"The answers to this question can be analysed by: {fitting}."
        if path == "primary.link":
            if "null" in words:
                return "This model has no link."
            allowed = LINKS_OF[self.cleaned_data["model"]]
            if len(allowed) == 1:
                return f"This model is fitted with the {allowed[0]} link alone."
            return "This model needs a link."
        if path in ("primary.rater_slopes", "primary.covariates"):
            return "Only mixed models can have it."
        return f"{words[0].upper()}{words[1:]}."


def initial_of(written: dict[str, Any]) -> dict[str, Any]:
    """What the form shows of a plan."""
    primary, exclusions = written["primary"], written["exclusions"]
    return {
        **{name: primary[name] for name in ("question", "predictor", "model", "rater_slopes")},
        "link": primary["link"] or "",
        "covariate": bool(primary["covariates"]),
        "family": [key_of(each) for each in written["family"][1:]],
        "rules": exclusions["rules"],
        "decisions": exclusions["decisions"],
        **{
            name: written[name]
            for name in (
                "alpha", "correction", "exploratory_correction", "seed", "n_target",
                "smallest_effect", "notes",
            )
        },
    }  # fmt: skip


def key_of(test: dict[str, Any]) -> str:
    """A test as the value of a choice."""
    return json.dumps([test[name] for name in TEST_NAMES])


def test_of(key: str) -> dict[str, str]:
    return dict(zip(TEST_NAMES, json.loads(key), strict=True))


def test_words(test: dict[str, Any]) -> str:
    return (
        f"{test['question']} with {PREDICTOR_WORDS[test['predictor']].lower()}, "
        f"layer {test['layer']} ({test['scan']}), {SHORT_MODELS[test['model']]}"
    )
