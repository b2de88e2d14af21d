"""Checking what somebody wants to plan: everything that is wrong is named, with what is allowed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from studies.errors import DomainError
from studies.models import Study
from studies.quality import RULES, read_limits
from studies.services.plans.content import (
    CORRECTIONS,
    FORMAT,
    LINKS_OF,
    MODELS,
    PREDICTORS,
    WITH_RATERS,
    Exclusions,
    PlanContent,
    PlannedTest,
    Primary,
)
from studies.services.plans.defaults import no_subject
from studies.services.plans.subject import Subject, scan_sha256

MAX_NOTES = 5000
MAX_FAMILY = 100
MAX_SEED = 2**31 - 1
MAX_TARGET = 1_000_000
MAX_EFFECT = 10
MAX_ALPHA = 0.5

TEST_KEYS = ("question", "predictor", "layer", "scan", "model")
PRIMARY_KEYS = (*TEST_KEYS, "scan_sha256", "link", "rater_slopes", "covariates")
EXCLUSION_KEYS = ("rules", "decisions", "limits")
KEYS = (
    "format", "primary", "family", "alpha", "correction", "exploratory_correction", "exclusions",
    "seed", "n_target", "smallest_effect", "notes",
)  # fmt: skip


def read_content(content: Any, study: Study) -> PlanContent:
    """`content` as a plan for `study`.

    What is left out gets the default of the model; limits and the scan's hash, those in force.
    DomainError says of every part that is wrong what it may be.
    """
    subject = None if study.scan is None else Subject(study, study.scan)
    if subject is None or not subject.questions:
        raise no_subject(study)
    reader = Reader(subject)
    read = reader.plan(content)
    if reader.wrong:
        raise DomainError("bad_plan", "; ".join(reader.wrong.values()), fields=reader.wrong)
    return read


def bad_text(text: str) -> str:
    """What keeps `text` from being stored, in words; empty where nothing does."""
    if "\x00" in text:
        return "must not contain NUL characters"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "must be valid Unicode"
    return ""


class Reader:
    """One reading: what is wrong is gathered by the path of the part."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.wrong: dict[str, str] = {}
        self.missing: list[str] = []

    def refuse(self, path: str, rule: str, got: Any) -> None:
        # Of a part that is no object, its parts need no words.
        if any(path.startswith(each) for each in self.missing):
            return
        shown = repr(got)
        if len(shown) > 80:
            shown = f"{shown[:77]}…"
        self.wrong.setdefault(path, f"{path} must be {rule}; got {shown}")

    def part(self, path: str, value: Any, known: Sequence[str]) -> Mapping[str, Any]:
        """`value` as an object with no keys but the `known`; without any where it is none."""
        if not isinstance(value, Mapping):
            self.refuse(path or "plan", f"an object with {', '.join(known)}", value)
            self.missing.append(f"{path}." if path else "")
            return {}
        for key in value:
            if key not in known:
                at = f"{path}.{key}" if path else str(key)
                at = at.encode("ascii", "backslashreplace").decode().replace("\x00", "\\x00")
                self.wrong.setdefault(
                    at, f"{at} is not known: {path or 'a plan'} has {', '.join(known)}"
                )
        return value

    def one_of(self, path: str, value: Any, allowed: Sequence[str]) -> str:
        if not isinstance(value, str) or value not in allowed:
            self.refuse(path, one_of_words(allowed), value)
            return allowed[0]
        return value

    def flag(self, path: str, value: Any) -> bool:
        if not isinstance(value, bool):
            self.refuse(path, "true or false", value)
            return False
        return value

    def number(self, path: str, value: Any, low: float, high: float) -> float:
        """A number above `low` and at most `high`."""
        if not is_number(value) or not low < value <= high:
            self.refuse(path, f"a number above {low:g} and at most {high:g}", value)
            return high
        return float(value)

    def whole(self, path: str, value: Any, low: int, high: int) -> int:
        if not is_number(value) or value != int(value) or not low <= value <= high:
            self.refuse(path, f"a whole number from {low} to {high}", value)
            return low
        return int(value)

    def names(self, path: str, value: Any, allowed: Sequence[str]) -> tuple[str, ...]:
        """Names out of `allowed`, each at most once, in the order of `allowed`."""
        if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
            self.refuse(path, "a list of names", value)
            return ()
        unknown = [each for each in value if each not in allowed]
        if unknown:
            words = f"a list out of {', '.join(allowed)}" if allowed else "an empty list"
            self.refuse(path, words, unknown)
        return tuple(each for each in allowed if each in value)

    def plan(self, content: Any) -> PlanContent:
        given = self.part("", content, KEYS)
        if given.get("format", FORMAT) != FORMAT or isinstance(given.get("format"), bool):
            self.refuse("format", str(FORMAT), given["format"])
        primary = self.primary(given.get("primary"))
        target, effect = given.get("n_target"), given.get("smallest_effect")
        return PlanContent(
            primary=primary,
            family=self.family(given.get("family"), primary.test),
            alpha=self.number("alpha", given.get("alpha", 0.05), 0, MAX_ALPHA),
            correction=self.one_of("correction", given.get("correction", "holm"), CORRECTIONS),
            exploratory_correction=self.one_of(
                "exploratory_correction",
                given.get("exploratory_correction", "fdr_bh"),
                CORRECTIONS,
            ),
            exclusions=self.exclusions(given.get("exclusions", {})),
            seed=self.whole("seed", given.get("seed", 0), 0, MAX_SEED),
            n_target=None if target is None else self.whole("n_target", target, 1, MAX_TARGET),
            smallest_effect=(
                None
                if effect is None
                else self.number("smallest_effect", effect, 0, MAX_EFFECT)
            ),
            notes=self.notes(given.get("notes", "")),
        )  # fmt: skip

    def primary(self, value: Any) -> Primary:
        given = self.part("primary", value, PRIMARY_KEYS)
        scan = self.subject.scan
        # The headline is of the study's own scan; other layers are compared with it.
        for name, own in (("layer", scan.layer), ("scan", scan.name)):
            if given.get(name, own) != own:
                self.refuse(f"primary.{name}", f"“{own}”, that of the study's scan", given[name])
        test = self.test("primary", {**given, "layer": scan.layer, "scan": scan.name})
        links, has_raters = LINKS_OF.get(test.model, ()), test.model in WITH_RATERS
        link = given.get("link", links[0] if links else None)
        if len(links) == 1 and link != links[0]:
            self.refuse("primary.link", f"{links[0]}, the one link of {test.model}", link)
        elif links:
            link = self.one_of("primary.link", link, links)
        elif link is not None:
            self.refuse("primary.link", f"null, as {test.model} has no link", link)
        slopes = self.flag("primary.rater_slopes", given.get("rater_slopes", has_raters))
        if slopes and not has_raters:
            self.refuse("primary.rater_slopes", f"false, as {test.model} has none", slopes)
        others = [each for each in PREDICTORS if each != test.predictor] if has_raters else []
        return Primary(
            **vars(test),
            scan_sha256=self.scan_hash(given.get("scan_sha256")),
            link=link,
            rater_slopes=slopes,
            covariates=self.names("primary.covariates", given.get("covariates", []), others),
        )

    def scan_hash(self, value: Any) -> str:
        if value is None:
            return scan_sha256(self.subject.study)
        if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
            self.refuse("primary.scan_sha256", "a SHA-256 in 64 hexadecimal digits", value)
        return str(value)

    def test(self, path: str, given: Mapping[str, Any]) -> PlannedTest:
        """A test of the family; its layer is of one of the scans of the study's images."""
        questions, layers = self.subject.questions, self.subject.layers
        question = self.one_of(f"{path}.question", given.get("question"), list(questions))
        layer = self.one_of(
            f"{path}.layer", given.get("layer", self.subject.scan.layer), list(layers)
        )
        models = MODELS[questions[question].kind]
        return PlannedTest(
            question=question,
            predictor=self.one_of(f"{path}.predictor", given.get("predictor"), PREDICTORS),
            layer=layer,
            scan=self.scan_name(f"{path}.scan", given.get("scan"), layers[layer]),
            model=self.one_of(f"{path}.model", given.get("model"), models),
        )

    def scan_name(self, path: str, value: Any, names: Sequence[str]) -> str:
        """The study's own scan needs no name, nor does the only one of a layer."""
        own = self.subject.scan.name
        if value is None and (own in names or len(names) == 1):
            return own if own in names else names[0]
        return self.one_of(path, value, names)

    def family(self, value: Any, primary: PlannedTest) -> tuple[PlannedTest, ...]:
        if value is None:
            return (primary,)
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= MAX_FAMILY:
            self.refuse("family", f"a list of 1 to {MAX_FAMILY} tests, the primary first", value)
            return (primary,)
        tests = []
        for i, each in enumerate(value):
            path = f"family[{i}]"
            tests.append(self.test(path, self.part(path, each, TEST_KEYS)))
        if self.wrong:
            return tuple(tests)
        if tests[0] != primary:
            self.refuse("family", "a list whose first test is the primary", value[0])
        if len(set(tests)) < len(tests):
            self.refuse("family", "a list without the same test twice", value)
        return tuple(tests)

    def exclusions(self, value: Any) -> Exclusions:
        given = self.part("exclusions", value, EXCLUSION_KEYS)
        limits = self.subject.limits
        if "limits" in given:
            try:
                limits = read_limits(given["limits"])
            except ValueError as error:
                self.wrong["exclusions.limits"] = f"exclusions.limits: {error}"
        rules = self.names(
            "exclusions.rules", given.get("rules", []), [rule.name for rule in RULES]
        )
        off = [name for name in rules if limits[name] is None]
        if off:
            self.refuse("exclusions.rules", "rules that have a limit, not switched off", off)
        return Exclusions(
            rules=rules,
            decisions=self.flag("exclusions.decisions", given.get("decisions", True)),
            limits=limits,
        )

    def notes(self, value: Any) -> str:
        if not isinstance(value, str) or len(value) > MAX_NOTES:
            self.refuse("notes", f"text of at most {MAX_NOTES} characters", value)
            return ""
        if wrong := bad_text(value):
            self.wrong["notes"] = f"notes {wrong}"
        return value.strip()


def is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def one_of_words(allowed: Sequence[str]) -> str:
    return f"“{allowed[0]}”" if len(allowed) == 1 else f"one of {', '.join(allowed)}"
