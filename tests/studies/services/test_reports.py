"""Reports of real studies with simulated and pilot raters, from their analyses."""

import io
import re

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from studies.errors import DomainError
from studies.models import ParticipantKind, Response
from studies.reporting import Figure, Items, Note, Paragraph, Table, plain, to_pngs
from studies.services import decisions, reports
from studies.services.analysis import analyse
from studies.services.simulation import RaterModel, simulate_raters
from tests.studies import factories

pytestmark = pytest.mark.django_db
BOTH = ("creativity_likert", "four_labels")
ORDER = ["design", "participants", "reliability", "headline", "sensitivity", "membership", "layers",
         "images", "limits", "methods", "references"]  # fmt: skip


@pytest.fixture
def lab():
    return factories.workspace()


@pytest.fixture
def study(lab):
    """Rated by eight simulated raters."""
    made = factories.study(
        16, questions=BOTH, workspace=lab, trials_per_participant=12,
        of=factories.scan(16, workspace=lab, calibrated=True),
    )  # fmt: skip
    simulate_raters(study=made, n_raters=8, seed=1, model=RaterModel(size_effect=2.0))
    return made


def section(report, key):
    return next(each for each in report.sections if each.key == key)


def text(part):
    """Everything that a section, or a whole report, says."""
    if hasattr(part, "sections"):
        return "\n".join(text(each) for each in part.sections)
    said = []
    for block in part.blocks:
        if isinstance(block, Paragraph | Note):
            said.append(plain(block.text))
        elif isinstance(block, Items):
            said += [plain(item) for item in block.items]
        elif isinstance(block, Table):
            cells = [cell for row in block.rows for cell in row]
            said += [plain(each) for each in (block.caption, *block.heads, *cells, *block.notes)]
        elif isinstance(block, Figure):
            said += [plain(block.caption), block.alt]
    return "\n".join(said)


def test_a_report_reads_like_a_results_section(study):
    run = analyse(study=study)
    report = reports.report_of(run)
    assert [each.key for each in report.sections] == ORDER
    assert plain(report.subtitle) == run.result["headline"]["sentence"]
    assert {each.name for each in report.figures()} - {"exclusions"} == {
        "participants", "reliability", "creativity-size", "sensitivity",
        "label-labels", "layers", "images",
    }  # fmt: skip
    headline = text(section(report, "headline"))
    told = run.result["headline"]
    assert f"b = {told['estimate']:.2f}".replace("-", "−") in headline
    assert "95% CI [" in headline
    plan = run.result["plan"]
    assert f"Simulated ratings test nothing: the plan of {plan['fixed_at'][:10]}" in headline
    assert plan["sha256"][:12] in headline
    assert "8 simulated raters" in text(section(report, "design"))
    assert "None" not in text(report)
    assert "nan" not in text(report).lower().split()


def test_every_number_of_the_models_is_in_the_report_with_its_interval(study):
    run = analyse(study=study)
    told = text(section(reports.report_of(run), "sensitivity"))
    for question in run.result["questions"]:
        for model in question["models"]:
            of_predictors = [each for each in model["intervals"] if each != "(Intercept)"]
            for term in of_predictors:
                # What allows for few images and raters is what is reported.
                low, high = model["small_sample"]["intervals"][term]
                assert f"{model['estimates'][term]:.2f}".replace("-", "−") in told
                assert f"[{low:.2f}, {high:.2f}]".replace("-", "−") in told


def test_the_method_is_that_of_the_record(study):
    scan = study.scan
    report = reports.report_of(analyse(study=study))
    told = text(section(report, "methods"))
    for words in (
        scan.layer, "upper-tail", "Berk–Jones", f"background of {scan.n_background}",
        f"{scan.n_restarts} restarts (seed {scan.seed})", "4 held-out normal images",
        "19 null groups", "7 of them scored as high, p = .400", "How creative is this image?",
        "scale of 7 points from “Not at all creative” to “Extremely creative”",
        "“Creative” counts as 1", f"seed {study.seed}", "No person took part",
        "SHA-256", "was fixed on", "manage.py analyse_study", "numpy",
    ):  # fmt: skip
        assert words in told, words
    references = text(section(report, "references"))
    assert "Cintas, C." in references
    assert "Rao, P. V." not in references


def test_whatever_is_cited_is_listed_and_nothing_else(study):
    from studies.reporting.references import REFERENCES

    report = reports.report_of(analyse(study=study))
    told, listed = text(section(report, "methods")), text(section(report, "references"))
    for cited, whole in REFERENCES.values():
        assert (cited in told) == (whole in listed), cited


def test_the_flow_counts_who_came_how_far(lab):
    study = factories.study(8, workspace=lab, trials_per_participant=6)
    for seed in range(4):
        factories.rated_participant(study, seed=seed)
    factories.rated_participant(study, seed=8, n_trials=2)
    factories.participant(study, seed=9)
    factories.enrolled(study, seed=10)
    excluded = factories.rated_participant(study, seed=11)
    decisions.decide(participant=excluded, verdict="excluded", reason="Did not look")
    report = reports.report_of(analyse(study=study))
    told = text(section(report, "participants"))
    assert "Of 8 people who agreed to take part, 6 gave at least one rating and 5 were" in told
    assert "Agreed to take part 8; Were shown images to rate 7; " in told
    svg = report.figure("participants").render().decode().replace("\u00a0", " ")
    assert "Did not go on (n = 1)" in svg
    assert "Gave no rating (n = 1)" in svg
    assert "Excluded by a researcher’s decision (n = 1)" in svg
    assert report.mark is None
    assert report.banner is None


@pytest.mark.parametrize(
    ("kind", "mark"),
    [
        (ParticipantKind.SIMULATED, "simulated raters"),
        (ParticipantKind.PILOT, "pilot participants"),
    ],
)
def test_every_figure_and_file_is_marked_where_ratings_are_none_of_the_study(lab, kind, mark):
    study = factories.study(8, questions=BOTH, workspace=lab)
    for seed in range(3):
        factories.rated_participant(study, kind, seed=seed)
    report = reports.report_of(analyse(study=study, kind=kind))
    assert report.mark == mark
    for figure in report.figures():
        assert mark in figure.render("svg").decode(), figure.name
    page = reports.to_file(report, "html").decode()
    assert report.banner in page
    assert f'data-mark="{mark}"' in page
    unmarked = reports.report_of(analyse(study=study, kind=kind))
    object.__setattr__(unmarked, "mark", None)
    object.__setattr__(unmarked, "banner", None)
    assert to_pngs(report, 30)[-1] != to_pngs(unmarked, 30)[-1]


def test_peoples_figures_carry_no_mark(lab):
    study = factories.study(8, workspace=lab)
    for seed in range(3):
        factories.rated_participant(study, seed=seed)
    report = reports.report_of(analyse(study=study))
    for figure in report.figures():
        svg = figure.render("svg").decode().lower()
        assert "simulated raters" not in svg
        assert "pilot participants" not in svg
    assert "data-mark" not in reports.to_file(report, "html").decode().split("</style>")[1]


def test_the_html_file_stands_alone(study):
    report = reports.report_of(analyse(study=study))
    page = reports.to_file(report, "html").decode()
    assert "<script" not in page
    assert "<link" not in page
    assert not re.findall(r'(?:src|srcset)="(?!data:)[^"]*"', page)
    assert not re.findall(r'href="(?!#|data:)[^"]*"', page)
    assert "url(" not in page.replace("url(#", "")
    assert "@import" not in page
    assert page.count("<svg") == len(list(report.figures()))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_pdf_is_tagged_and_has_title_and_text(study):
    pdf = reports.to_file(reports.report_of(analyse(study=study)), "pdf")
    assert pdf.startswith(b"%PDF-")
    assert b"/MarkInfo" in pdf
    assert b"pdfuaid" in pdf
    assert study.title.encode() in pdf or study.title.encode("utf-16-be") in pdf


def test_nothing_that_people_wrote_becomes_markup(lab):
    evil = '<script>alert("x")</script> #panic() $x^2$ *b* [#read("/etc/passwd")]'
    study = factories.study(8, workspace=lab, title=evil, responsible=evil)
    study.questions.update(text=f"Is it {evil}?")
    for seed in range(3):
        factories.rated_participant(study, seed=seed)
    report = reports.report_of(analyse(study=study))
    page = reports.to_file(report, "html").decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert reports.to_file(report, "pdf").startswith(b"%PDF-")


def test_pairs_have_a_report_without_mixed_models(lab):
    study = factories.study(8, workspace=lab, questions=["pairwise_tournament"])
    simulate_raters(study=study, n_raters=10, seed=1)
    report = reports.report_of(analyse(study=study))
    assert "separation reliability" in text(report).lower()
    assert "choosing one of two images" in text(section(report, "methods"))
    assert reports.to_file(report, "pdf").startswith(b"%PDF-")


def test_without_a_plan_everything_is_exploratory(study):
    run = analyse(study=study)
    run.result["plan"] = None
    run.result |= {"kind": "person", "simulated": False}
    run.result["headline"]["status"] = "exploratory"
    report = reports.report_of(run)
    for key in ("headline", "limits", "methods"):
        assert "exploratory" in text(section(report, key))
    assert "No analysis plan was fixed" in text(section(report, "limits"))


def test_limits_are_those_of_the_data(study):
    told = text(section(reports.report_of(analyse(study=study)), "limits"))
    assert "The ratings are simulated" in told
    assert "8 raters: " in told
    assert "16 images: " in told
    assert "No analysis plan was fixed" not in told
    assert "did not converge" not in told


def test_a_report_needs_an_analysis_and_never_makes_one(lab):
    study = factories.study(8, workspace=lab)
    with pytest.raises(DomainError, match="No ratings by people have been stored yet"):
        reports.latest_report(study=study)
    factories.rated_participant(study)
    with pytest.raises(DomainError, match="have not been analysed yet") as raised:
        reports.latest_report(study=study)
    assert raised.value.code == "not_analysed"
    with pytest.raises(DomainError, match="person, pilot, simulated; got 'robots'"):
        reports.latest_report(study=study, kind="robots")
    study.scan = None
    with pytest.raises(DomainError, match="has no scan"):
        reports.latest_report(study=study)


def test_answers_that_came_since_are_said(study):
    analyse(study=study)
    assert reports.latest_report(study=study).caution is None
    before = Response.objects.count()
    simulate_raters(study=study, n_raters=9, seed=1)
    n = Response.objects.count() - before
    assert f"Since this analysis {n} answers came" in reports.latest_report(study=study).caution


def test_the_number_of_queries_does_not_grow_with_ratings_or_images(lab):
    counts = []
    for n in (8, 16):
        study = factories.study(n, workspace=lab, trials_per_participant=n)
        for seed in range(n // 4):
            factories.rated_participant(study, seed=seed)
        analyse(study=study)
        with CaptureQueriesContext(connection) as queries:
            reports.latest_report(study=study)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_older_result_has_a_report_of_what_it_has(study):
    run = analyse(study=study)
    kept = ("key", "text", "kind", "measure", "range", "n_images", "n_ratings", "sentence",
            "ratings_per_image", "associations", "membership", "reliability", "labels", "images",
            "warnings", "positive_label")  # fmt: skip
    for name in ("headline", "tests", "plan", "exclusions", "flow", "multiverse", "data_sha256"):
        run.result.pop(name)
    run.result["questions"] = [
        {key: each[key] for key in kept if key in each} for each in run.result["questions"]
    ]
    report = reports.report_of(run)
    assert plain(report.subtitle) == run.result["questions"][0]["sentence"]
    assert [each.key for each in report.sections] == ORDER
    assert reports.to_file(report, "pdf").startswith(b"%PDF-")


@pytest.mark.parametrize(("side", "smooth"), [(28, False), (28, True), (400, False), (256, False)])
def test_pictures_are_embedded_with_their_own_pixels(side, smooth):
    values = np.random.default_rng(1).integers(0, 256, (side, side), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(values).save(written, "PNG")
    shown = np.asarray(Image.open(io.BytesIO(reports.embedded(written.getvalue(), smooth=smooth))))
    assert max(shown.shape) <= reports.EMBEDDED_PX
    if side == 28 and not smooth:
        times = len(shown) // side
        assert np.array_equal(shown[::times, ::times], values)
    if side == 256:
        assert np.array_equal(shown, values)


def test_exclusions_are_drawn_where_rules_would_leave_out_somebody(lab):
    study = factories.study(12, workspace=lab, trials_per_participant=12)
    simulate_raters(study=study, n_raters=8, seed=1)
    # Whoever gives one answer throughout is marked by more than one rule.
    factories.rated_participant(
        study, ParticipantKind.SIMULATED, seed=50, answers=lambda trial, asked: {"creativity": "4"}
    )
    run = analyse(study=study)
    assert len(run.result["multiverse"]["specifications"]) > 1
    report = reports.report_of(run)
    told = text(section(report, "sensitivity"))
    assert re.search(r"Over \d+ distinct sets of exclusions, the headline estimate has", told)
    svg = report.figure("exclusions").render().decode()
    assert "mostly the same answer" in svg
    assert "simulated raters" in svg
    assert "Steegen" in text(section(report, "methods"))
