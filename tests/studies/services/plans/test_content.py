"""What a plan may say about a study, and what is said of everything else."""

import contextlib
import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.errors import DomainError
from studies.services import design, plans
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(
        questions=["creativity_likert", "four_labels"],
        state="draft",
        workspace=factories.workspace(),
    )


def changed(study, path, value):
    """The study's default plan with one part changed."""
    content = copy.deepcopy(plans.default_content(study))
    part = content
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return content


def refused(content, study):
    with pytest.raises(DomainError) as caught:
        plans.read_content(content, study)
    assert caught.value.code == "bad_plan"
    return caught.value


@pytest.mark.parametrize(
    ("preset", "model", "link", "slopes"),
    [
        ("creativity_likert", "clmm", "logit", True),
        ("four_labels", "clmm", "logit", True),
        ("creativity_vas", "lmm", None, True),
        ("pairwise_tournament", "rao_kupper", "logit", False),
        ("best_worst_creativity", "spearman", None, False),
    ],
)
def test_the_default_follows_the_design_and_fits(preset, model, link, slopes):
    study = factories.study(
        questions=[preset], state="draft", workspace=factories.workspace()
    )  # fmt: skip
    read = plans.read_content(plans.default_content(study), study)
    primary = read.primary
    assert (primary.model, primary.link, primary.rater_slopes) == (model, link, slopes)
    assert (primary.predictor, primary.layer, primary.scan) == (
        "size",
        study.scan.layer,
        study.scan.name,
    )
    assert read.family == (primary.test,)
    assert (read.alpha, read.correction, read.exploratory_correction) == (0.05, "holm", "fdr_bh")


def test_the_default_asks_the_first_question_on_a_scale(study):
    swapped = factories.study(
        questions=["four_labels", "creativity_likert"],
        state="draft",
        workspace=factories.workspace(),
    )
    assert plans.default_content(swapped)["primary"]["question"] == "creativity"
    assert plans.default_content(study)["primary"]["question"] == "creativity"


def test_what_is_read_is_read_again_as_the_same_from_its_json(study):
    read = plans.read_content(plans.default_content(study), study)
    stored = json.loads(plans.canonical_json(read.to_dict()))
    assert plans.read_content(stored, study) == read == plans.stored_content(stored)
    assert plans.sha256_of(stored) == plans.sha256_of(read.to_dict())
    shuffled = dict(reversed(stored.items()))
    assert plans.sha256_of(shuffled) == plans.sha256_of(stored)


def test_it_holds_the_limits_in_force_and_a_hash_of_what_answers_are_held_against(study):
    read = plans.read_content(plans.default_content(study), study)
    assert read.exclusions.limits["max_fast_share"] == 0.1
    assert read.primary.scan_sha256 == plans.scan_sha256(study)
    row = study.scan.results.filter(size__gt=0).first()
    row.score += 1
    row.save()
    assert plans.scan_sha256(study) != read.primary.scan_sha256


def test_a_plan_needs_a_scan_and_a_question_that_is_not_for_words(study):
    without = factories.study(
        questions=[], state="draft", workspace=factories.workspace()
    )  # fmt: skip
    design.add_question(study=without, key="why", kind="text", text="Why?", options={})
    study.scan = None
    for each, lacking in ((without, "a question"), (study, "a scan")):
        for act in (plans.default_content, lambda study: plans.read_content({}, study)):
            with pytest.raises(DomainError, match=lacking) as caught:
                act(each)
            assert caught.value.code == "nothing_to_plan"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["primary", "question"], "nothing", "one of creativity, label; got 'nothing'"),
        (["primary", "question"], ["creativity"], "one of creativity, label"),
        (["primary", "predictor"], "entropy", "one of size, score"),
        (["primary", "layer"], "pixels", "“decoder.2”, that of the study's scan"),
        (["primary", "scan"], "another", "that of the study's scan"),
        (["primary", "model"], "rao_kupper", "one of clmm, lmm, spearman"),
        (["primary", "model"], 3, "one of clmm, lmm, spearman; got 3"),
        (["primary", "link"], "cauchit", "one of logit, probit"),
        (["primary", "link"], None, "one of logit, probit"),
        (["primary", "rater_slopes"], 1, "true or false; got 1"),
        (["primary", "covariates"], ["size"], "a list out of score; got ['size']"),
        (["primary", "covariates"], "score", "a list of names"),
        (["primary", "scan_sha256"], "abc", "64 hexadecimal digits"),
        (["primary", "surprise"], 1, "primary.surprise is not known"),
        (["surprise"], 1, "a plan has format, primary"),
        (["sur\x00prise"], 1, "is not known"),
        (["\ud800"], 1, "is not known"),
        (["format"], 2, "format must be 1; got 2"),
        (["format"], True, "format must be 1"),
        (["primary"], None, "an object with question"),
        (["family"], [], "1 to 100 tests"),
        (["family"], [{}], "family[0].predictor must be one of size, score; got None"),
        (["family"], ["creativity"], "family[0] must be an object"),
        (["alpha"], 0, "above 0 and at most 0.5"),
        (["alpha"], True, "above 0 and at most 0.5"),
        (["alpha"], float("nan"), "above 0"),
        (["alpha"], "0.05", "above 0"),
        (["correction"], "none", "one of holm, fdr_bh"),
        (["exclusions"], [], "an object with rules, decisions, limits"),
        (["exclusions", "rules"], ["too_slow"], "max_fast_share"),
        (["exclusions", "rules"], ["max_zoomed_share"], "not switched off"),
        (["exclusions", "rules"], [1], "a list of names"),
        (["exclusions", "decisions"], "yes", "true or false"),
        (["exclusions", "limits"], {"max_fast_share": 2}, "from 0 to 1"),
        (["seed"], -1, "a whole number from 0"),
        (["seed"], 1.5, "a whole number"),
        (["seed"], 10**400, "a whole number"),
        (["n_target"], 0, "a whole number from 1"),
        (["smallest_effect"], float("inf"), "above 0 and at most 10"),
        (["notes"], "a\x00b", "NUL"),
        (["notes"], "\ud800", "Unicode"),
        (["notes"], "x" * 5001, "at most 5000"),
        (["notes"], None, "text of"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(study, path, value, said):
    error = refused(changed(study, path, value), study)
    assert said in error.detail
    assert len({field.partition(".")[0] for field in error.fields}) == 1
    error.detail.encode()
    assert "\x00" not in error.detail + "".join(error.fields)


def test_everything_wrong_is_said_at_once(study):
    content = changed(study, ["alpha"], 7) | {"seed": -1, "more": 1}
    assert set(refused(content, study).fields) == {"alpha", "seed", "more"}


def test_the_family_begins_with_the_primary_and_has_no_test_twice(study):
    test = plans.default_content(study)["family"][0]
    other = test | {"predictor": "score"}
    assert "first test is the primary" in refused(
        changed(study, ["family"], [other, test]), study
    ).detail  # fmt: skip
    assert "twice" in refused(changed(study, ["family"], [test, other, other]), study).detail
    read = plans.read_content(changed(study, ["family"], [test, other]), study)
    assert [each.predictor for each in read.family] == ["size", "score"]


def test_other_layers_of_the_same_images_can_be_in_the_family(study):
    test = plans.default_content(study)["family"][0]
    elsewhere = {**test, "layer": "pixels", "scan": "pixels"}
    assert "one of" not in refused(changed(study, ["family"], [test, elsewhere]), study).detail
    other = factories.scan(workspace=study.workspace, name="pixels")
    image = study.study_images.first().image
    other.results.create(image=image, score=1, size=1, alpha=0.1, nodes=[0], in_group=False)
    other.layer = "pixels"
    other.save()
    content = changed(study, ["family"], [test, {**test, "layer": "pixels", "scan": None}])
    read = plans.read_content(content, study)
    assert (read.family[1].layer, read.family[1].scan) == ("pixels", "pixels")


def test_models_without_link_and_slopes_take_none(study):
    content = changed(study, ["primary", "model"], "spearman")
    content["family"] = [content["family"][0] | {"model": "spearman"}]
    assert set(refused(content, study).fields) == {"primary.link", "primary.rater_slopes"}
    content["primary"] |= {"link": None, "rater_slopes": False}
    assert plans.read_content(content, study).primary.link is None


def test_rao_and_kuppers_model_has_one_link():
    pairs = factories.study(
        questions=["pairwise_tournament"], state="draft", workspace=factories.workspace()
    )
    error = refused(changed(pairs, ["primary", "link"], "probit"), pairs)
    assert error.fields == {
        "primary.link": "primary.link must be logit, the one link of rao_kupper; got 'probit'"
    }


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
parts = st.sampled_from([
    ["primary"], ["family"], ["exclusions"], ["alpha"], ["notes"], ["seed"], ["format"],
    ["primary", "covariates"], ["primary", "link"], ["exclusions", "rules"],
    ["exclusions", "limits"], ["n_target"], ["smallest_effect"], ["family", 0],
])  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(parts, junk)
def test_junk_is_refused_or_read_and_never_an_error(path, value):
    study = factories.study(state="draft", workspace=factories.workspace())
    with contextlib.suppress(DomainError):
        read = plans.read_content(changed(study, path, value), study)
        stored = json.loads(plans.canonical_json(read.to_dict()))
        assert plans.read_content(stored, study) == read


def test_the_statement_says_every_part(study):
    content = changed(study, ["exclusions", "rules"], ["max_fast_share"]) | {
        "n_target": 60,
        "smallest_effect": 0.2,
        "notes": "We also look at novelty.",
    }
    content["primary"]["covariates"] = ["score"]
    content["family"].append(content["family"][0] | {"predictor": "score"})
    read = plans.read_content(content, study)
    questions = dict(study.questions.values_list("key", "text"))
    told = dict(plans.statement(read, questions))
    assert "“How creative is this image?” (creativity)" in told["Primary question"]
    assert "layer decoder.2" in told["Primary question"]
    assert "logit link; a slope of the predictor for each rater; given" in told["Model"]
    assert told["Confirmatory tests"].startswith("2 tests, two-sided at α = 0.05 after Holm’s")
    assert "fast answers (more than 10 %)" in told["Left out"]
    assert told["Sample"] == "60 participants wanted. Smallest effect of interest: 0.2."
    assert told["Notes"] == "We also look at novelty."
