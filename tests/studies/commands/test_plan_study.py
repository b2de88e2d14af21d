import csv
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from studies.models import ParticipantKind
from tests.studies import factories
from tests.studies.pilots import rate

SMALL = ("--images", "16,24", "--ratings-per-image", "4", "--trials", "8", "--replicates", "2")
SMALL += ("--workers", "1", "--slope-sd", "0", "--no-fit-slopes")


@pytest.fixture
def study(db):
    return factories.study(n_images=12, workspace=factories.workspace(), trials_per_participant=8)


def output(*args):
    out = StringIO()
    call_command("plan_study", *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_table_fits_the_terminal_and_says_that_all_is_simulated():
    text = output(*SMALL, "--effect", "0.5,0", "--lost-share", "0.2", "--currency", "CHF")
    assert text.startswith("Simulated studies, 2 of each design (seed 0); no person took part.")
    assert max(map(len, text.splitlines())) <= 100
    assert "effect 0.50, 0.00 (given)" in text
    assert "rater SD 1.00 (default)" in text
    assert "type I error" in text
    assert "CHF" in text
    # A row per design and effect, after the heading of each effect.
    assert sum(line.split()[:2] == ["16", "8"] for line in text.splitlines()) == 2


def test_the_cheapest_design_with_enough_power_is_named():
    few = ("--images", "16", "--ratings-per-image", "4,8", "--replicates", "2", "--workers", "1")
    text = output(*few, "--no-fit-slopes", "--effect", "3,0.01")
    assert "Cheapest with a power of 0.8: 16 images, 4 raters, 4 ratings per image; " in text
    assert "None of these designs has a power of 0.8." in text


def test_json_has_designs_shares_costs_and_sources():
    told = json.loads(output(*SMALL, "--json", "--hourly-pay", "15", "--fee-rate", "0.5"))
    assert told["simulated"] is True
    assert told["pilot"] is None
    assert told["sources"]["effect"] == "default"
    first = told["cells"][0]
    assert first["design"] == {
        "n_images": 16,
        "n_raters": 8,
        "ratings_per_image": 4,
        "n_ratings": 64,
        "trials_per_rater": [8, 8],
        "balanced": True,
    }
    assert first["rejections"]["n"] == first["n_replicates"] == 2
    cost = first["cost"]
    assert cost["participant_hours"] == pytest.approx(8 * (180 + 8 * 8) / 3600)
    assert cost["total"] == pytest.approx(1.5 * 15 * cost["participant_hours"])


def test_csv_has_a_row_per_design_with_the_figures_of_json():
    rows = list(csv.DictReader(StringIO(output(*SMALL, "--csv", "--currency", "€"))))
    cells = json.loads(output(*SMALL, "--json"))["cells"]
    assert [int(row["n_images"]) for row in rows] == [16, 24]
    assert [float(row["rejections"]) for row in rows] == [
        cell["rejections"]["estimate"] for cell in cells
    ]
    assert [float(row["width_mean"]) for row in rows] == [cell["width_mean"] for cell in cells]
    assert {row["simulated"] for row in rows} == {"true"}
    assert {row["currency"] for row in rows} == {"€"}
    assert {row["pilot"] for row in rows} == {""}
    assert {(row["link"], row["alpha"], row["seed"]) for row in rows} == {("logit", "0.05", "0")}


def test_lists_may_begin_with_a_minus():
    told = json.loads(output(*SMALL, "--effect=-0.5,0", "--thresholds=-1,0,1", "--json"))
    assert [cell["model"]["effect"] for cell in told["cells"]] == [-0.5, -0.5, 0, 0]
    assert told["cells"][0]["model"]["thresholds"] == [-1, 0, 1]


def test_the_seed_decides_every_number():
    first, again = (output(*SMALL, "--json") for _ in range(2))
    assert first == again
    assert output(*SMALL, "--json", "--seed", "1") != first


def test_quick_is_a_first_look_and_replicates_go_before_it():
    few = ("--images", "8", "--ratings-per-image", "2", "--no-fit-slopes", "--workers", "1")
    few += ("--proportions", "1,1")
    assert "Simulated studies, 25 of each design" in output(*few, "--quick")
    assert "Simulated studies, 2 of each" in output(*few, "--quick", "--replicates", "2")


@pytest.mark.parametrize(("name", "begins"), [("plan.svg", b"<svg"), ("plan.PDF", b"%PDF")])
def test_figure_is_written(tmp_path, name, begins):
    text = output(*SMALL, "--effect", "0.5,0", "--figure", str(tmp_path / name))
    assert f"Curves are in {tmp_path / name}." in text
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_pilot_gives_what_is_assumed(study):
    rate(study, 12, ParticipantKind.PILOT)
    text = output(*SMALL, "--pilot", study.slug)
    assert f"Pilot “{study.slug}”" in text
    assert "12 raters (pilot)" in text
    assert "(pilot)" in text.split("Assumed")[1]
    assert "uncertain" in text
    assert "THE PILOT'S RATERS ARE SIMULATED" not in text
    told = json.loads(output(*SMALL, "--pilot", study.slug, "--json"))
    assert told["pilot"]["raters"] == "pilot"
    assert told["cells"][0]["model"]["effect"] == told["pilot"]["estimates"]["effect"]
    rows = list(csv.DictReader(StringIO(output(*SMALL, "--pilot", study.slug, "--csv"))))
    assert {(row["pilot"], row["pilot_raters"]) for row in rows} == {(study.slug, "pilot")}


def test_simulated_pilots_are_said_loudly(study):
    rate(study, 12, ParticipantKind.SIMULATED)
    text = output(*SMALL, "--pilot", study.slug)
    assert text.startswith("!!!")
    assert "THE PILOT'S RATERS ARE SIMULATED. No person gave its ratings" in text
    told = json.loads(output(*SMALL, "--pilot", study.slug, "--json"))
    assert told["pilot"]["estimates"]["simulated"] is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--images", "4,x"), "argument --images: invalid list of ints with commas value: '4,x'"),
        (("--images", "3"), "n_images must be a whole number, 4 or more; got 3"),
        (("--alpha", "2"), "alpha must be between 0 and 1, exclusive; got 2.0"),
        (("--power", "1"), "power must be between 0 and 1, exclusive; got 1.0"),
        (("--replicates", "0"), "n_replicates must be 1 or more; got 0"),
        (("--workers", "0"), "n_workers must be 1 or more; got 0"),
        (("--rater-sd", "-1"), "rater_sd must be a finite number, 0 or more; got -1.0"),
        (("--reliability", "0.02", "5"), "reliability must be at least"),
        (("--raters", "10"), "not allowed with argument --trials"),
        (("--fee-rate", "-1"), "fee_rate must be a finite number, 0 or more; got -1.0"),
        (("--safeguard", "0.6"), "safeguard must come with a pilot, whose interval"),
        (("--question", "beauty"), "--question must come with --pilot; got 'beauty' alone"),
        (("--figure", "plan.gif"), "figure must end in .svg, .png, .pdf; got plan.gif"),
        (("--figure", "/nowhere/at/all.svg"), "figure must lie in a folder that exists"),
        (("--thresholds", "1,0"), "thresholds must be one or more rising numbers"),
    ],
)
def test_bad_values_are_refused_in_one_line_naming_them(arguments, message):
    with pytest.raises(CommandError) as caught:
        output(*SMALL, *arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_pilot_is_refused_naming_the_studies_there_are(study):
    with pytest.raises(CommandError, match=f"no study is called 'nope'; there are {study.slug}"):
        output(*SMALL, "--pilot", "nope")


def test_a_pilot_without_ratings_is_refused(study):
    with pytest.raises(CommandError, match="has no ratings by anybody to plan with"):
        output(*SMALL, "--pilot", study.slug)
