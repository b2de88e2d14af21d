"""One set of search parameters, wherever it is written down."""

import inspect
from dataclasses import fields

import pytest

import scanning
from scanning._search import Search
from scanning._workers import Workers

SEARCH = {field.name: field.default for field in fields(Search)}
WORKERS = {field.name: field.default for field in fields(Workers)}


def test_a_search_is_what_the_group_scan_takes():
    parameters = inspect.signature(scanning.scan_group).parameters
    taken = {name: parameters[name].default for name in parameters if name != "pvalues"}
    assert taken == SEARCH


@pytest.mark.parametrize(
    "name",
    [name for name in scanning.__all__ if inspect.isfunction(getattr(scanning, name))],
)
def test_parameters_of_one_name_have_one_default(name):
    parameters = inspect.signature(getattr(scanning, name)).parameters
    for shared, default in {**SEARCH, **WORKERS}.items():
        if shared in parameters and parameters[shared].default is not inspect.Parameter.empty:
            assert parameters[shared].default == default


BAD = {
    "statistic": "bj",
    "alpha_max": 0,
    "n_restarts": -1,
    "max_images": 0,
    "max_nodes": 1.5,
    "engine": "jax",
    "seed": None,
    "n_workers": 0,
    "cluster": "here",
}
CALLS = {
    "calibrate_group": {"normal_pvalues": "nothing", "observed": "nothing"},
    "detect_groups": {"normal_pvalues": "no", "creative_pvalues": "no", "group_size": 1},
    "scan_layers": {"pvalues": {"a": [[0.5]]}},
    "scan_seeds": {"pvalues": "nothing", "seeds": [1]},
    "scan_group": {"pvalues": "nothing"},
}


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        (name, parameter)
        for name in CALLS
        for parameter in BAD
        if parameter in inspect.signature(getattr(scanning, name)).parameters
    ],
)
def test_a_bad_parameter_is_named_before_p_values_are_looked_at(name, parameter):
    with pytest.raises(ValueError, match=f"^{parameter} must be "):
        getattr(scanning, name)(**CALLS[name], **{parameter: BAD[parameter]})
