"""What has gone wrong in rating studies elsewhere, and the tests that it does not go wrong here.

Read it from left to right: a failure that somebody reported of another platform, and where it
is tried. A test that is renamed or lost is missed here.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent

FAILURES = {
    "somebody holds a code and their data are not there": {
        "durability/test_kills.py": [
            "test_a_killed_server_loses_nothing_that_it_acknowledged",
            "test_a_killed_postgresql_loses_nothing_that_was_acknowledged",
        ],
        "browser/test_never_lost.py": ["test_the_last_answer_is_stored_before_a_code_is_shown"],
        "studies/views/test_participant.py": ["test_the_code_is_not_shown_before_the_last_answer"],
    },
    "after a short loss of the network the page hangs, or minutes of work are gone": {
        "browser/test_never_lost.py": [
            "test_two_minutes_without_network_cost_no_answer_and_no_waiting",
            "test_without_network_no_image_is_skipped_and_the_next_one_comes_by_itself",
            "test_a_server_that_was_killed_gets_the_answer_when_it_is_back",
            "test_saved_is_said_after_the_acknowledgement_only",
            "test_a_closed_tab_sends_what_is_left_when_it_is_opened_again",
        ],
    },
    "a crowd at the start gets more slots than there are, or is told that there are none": {
        "studies/services/test_crowds.py": [
            "test_a_crowd_shares_the_images_out_evenly_and_to_the_last_slot",
        ],
        "durability/test_arrivals.py": [
            "test_fifty_at_once_fill_every_slot_and_the_others_are_sent_off_kindly",
        ],
        "studies/views/test_steps.py": ["test_over_quota_is_a_kind_page_with_the_right_code"],
    },
    "two people get an item that one was to rate, or one answer is counted as two": {
        "studies/services/test_crowds.py": [
            "test_a_crowd_shares_the_images_out_evenly_and_to_the_last_slot",
            "test_whatever_happens_at_once_the_counts_are_those_of_the_trials",
        ],
        "studies/services/test_contested.py": ["test_the_same_trial_sent_at_once_is_stored_once"],
        "browser/test_never_lost.py": ["test_back_and_double_click_store_one_value_each"],
    },
    "who leaves or falls silent keeps their slots for ever, or the last slot blocks the study": {
        "studies/services/test_assignment.py": [
            "test_withdrawing_returns_open_trials_only",
            "test_images_of_who_fell_silent_are_given_to_the_next",
            "test_who_comes_back_too_late_finds_what_is_left",
        ],
        "studies/services/test_blocks.py": [
            "test_who_comes_back_gets_what_is_still_free",
            "test_a_late_answer_is_kept_though_the_image_has_enough",
        ],
        "studies/services/test_late_answers.py": [
            "test_a_late_answer_takes_nobody_past_a_later_block",
            "test_a_late_answer_after_the_end_is_kept_and_ends_nothing_twice",
        ],
        "studies/services/test_crowds.py": [
            "test_whatever_happens_at_once_the_counts_are_those_of_the_trials",
            "test_late_answers_and_others_about_the_same_images_never_wait_for_each_other",
        ],
        "browser/test_never_lost.py": [
            "test_answers_of_somebody_who_comes_back_when_nothing_is_left_are_kept",
        ],
    },
    "pilot data shift the balance of the study": {
        "studies/services/test_assignment.py": [
            "test_simulated_and_pilot_participants_do_not_touch_the_balance_of_people",
        ],
        "studies/views/test_entry.py": ["test_pilots_leave_the_balance_of_people_alone"],
    },
    "one person in two tabs or on two devices is counted as two": {
        "browser/test_never_lost.py": [
            "test_two_tabs_keep_one_value_the_first",
            "test_two_tabs_without_network_send_one_value_each",
            "test_two_devices_are_one_person_with_one_value_each",
        ],
        "studies/views/test_entry.py": ["test_two_tabs_that_agree_make_one_participant"],
        "studies/services/test_contested_people.py": [
            "test_one_person_in_many_tabs_is_one_participant",
        ],
    },
    "a reload overwrites what was answered before it": {
        "browser/test_never_lost.py": [
            "test_a_reload_in_the_middle_of_sending_loses_nothing",
            "test_a_reload_without_network_loses_nothing",
        ],
        "studies/views/test_participant.py": [
            "test_reload_shows_the_same_trial",
            "test_sending_twice_neither_doubles_nor_skips",
        ],
    },
    "somebody who was sent away goes on after a reload": {
        "studies/services/test_decisions.py": [
            "test_an_excluded_participant_cannot_go_on_after_a_refresh",
        ],
        "studies/services/test_blocks.py": [
            "test_where_the_policy_says_so_who_comes_back_late_does_not_go_on",
        ],
    },
    "an answer that was changed is several answers": {
        "browser/test_never_lost.py": [
            "test_an_answer_that_was_changed_twice_is_one_value_and_its_history",
        ],
        "studies/services/test_blocks.py": [
            "test_a_changed_answer_leaves_one_value_and_its_history",
            "test_the_same_change_sent_twice_is_one_change",
        ],
        "studies/services/exports/test_content.py": [
            "test_revisions_are_the_answers_that_were_replaced",
        ],
    },
    "half an image is rated, or a slider cannot be answered by touch": {
        "browser/test_never_lost.py": [
            "test_an_image_that_arrives_cut_off_is_fetched_again",
            "test_an_image_that_never_arrives_whole_can_be_skipped_and_is_not_rated",
        ],
        "browser/test_question_types.py": [
            "test_a_finger_drags_the_slider_and_one_that_scrolls_past_leaves_no_answer",
        ],
    },
    "an export needs more memory than there is, ends in the middle unseen, or says other numbers": {
        "studies/services/exports/test_memory.py": ["test_memory_does_not_grow_with_answers"],
        "studies/services/exports/test_whole.py": [
            "test_a_download_that_was_cut_is_no_zip",
            "test_a_failure_half_way_leaves_no_whole_zip",
            "test_the_manifest_tells_rows_and_sums",
        ],
        "studies/services/exports/test_content.py": ["test_coverage_is_what_assignment_counts"],
        "studies/services/exports/test_scripts.py": [
            "test_the_script_gives_the_figures_of_the_results_page",
            "test_an_export_can_be_checked_with_python_alone",
        ],
    },
    "text of participants runs as a formula in a spreadsheet": {
        "studies/services/exports/test_cells.py": [
            "test_text_that_a_spreadsheet_would_run_gets_an_apostrophe",
            "test_free_text_of_participants_and_researchers_is_safe_in_every_spreadsheet",
        ],
    },
    "an agreement that cannot be computed is printed as a number": {
        "studies/stats/test_agreement.py": ["test_undefined_alpha_is_explained"],
        "studies/stats/test_chance_corrected.py": ["test_undefined_coefficient_is_explained"],
        "studies/services/test_simulation_and_analysis.py": [
            "test_an_undefined_coefficient_is_explained",
        ],
    },
}


def functions_in(path: Path) -> set[str]:
    functions = (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef))
    return {function.name for function in functions}


@pytest.mark.parametrize("failure", FAILURES)
def test_every_known_failure_has_its_tests(failure):
    missing = [
        f"{place}::{name}"
        for place, names in FAILURES[failure].items()
        for name in names
        if name not in functions_in(ROOT / place)
    ]
    assert missing == []
