"""Group scan: exact steps, fixed points, determinism, and its gap to brute force."""

import subprocess
import sys
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numba.core import config

from scanning import STATISTICS, Background, scan_group
from scanning import _group_ascent as ascent_module
from scanning import _group_numba as kernels
from scanning._group_ascent import ALL, Problem
from scanning._group_compiled import CompiledEngine
from scanning._group_ranks import N_EDGES, GroupRanks
from scanning._ranks import rank_pvalues
from tests import reference

PVALUES = st.integers(1, 12).map(lambda k: k / 12) | st.floats(1e-12, 1.0)


def matrices(max_images, max_nodes):
    shape = st.tuples(st.integers(1, max_images), st.integers(1, max_nodes))
    return hnp.arrays(np.float64, shape, elements=PVALUES)


def planted(n_images, n_nodes, n_background, seed, shift=1.0):
    """A fifth of the images, a tenth of the nodes, shifted."""
    rng = np.random.default_rng(seed)
    background = rng.normal(size=(n_background, n_nodes))
    test = rng.normal(size=(n_images, n_nodes))
    test[: n_images // 5, : max(1, n_nodes // 10)] += shift
    return Background.fit(background).pvalues(test)


def best_side(matrix, held, name, alpha_max):
    """Best score over all subsets of rows for the held columns, from sorted counts."""
    columns = matrix[:, held]
    best = 0.0
    for alpha in np.unique(matrix[matrix <= alpha_max]):
        n_alpha = np.cumsum(np.sort((columns <= alpha).sum(axis=1))[::-1])
        n = np.arange(1, len(columns) + 1) * len(held)
        best = max(best, float(STATISTICS[name](alpha, n_alpha, n).max()))
    return best


@pytest.mark.parametrize("name", STATISTICS)
@given(
    matrix=matrices(6, 6),
    alpha_max=st.sampled_from([0.1, 0.5, 1.0]),
    max_side=st.sampled_from([0, 10]),
)
@settings(max_examples=40, deadline=None)
def test_is_a_fixed_point_over_all_subsets(name, matrix, alpha_max, max_side):
    with patch.object(ascent_module, "MAX_SIDE", max_side):  # by ascent alone, or exhaustive
        group = scan_group(matrix, statistic=name, alpha_max=alpha_max, n_restarts=2)
    assert group.size == len(group.images) * len(group.nodes)
    if group.score == 0:
        assert np.isnan(group.alpha)
        assert group.size == 0
        assert not ((matrix <= alpha_max) & (matrix < 1)).any()
        return
    inside = matrix[np.ix_(group.images, group.nodes)]
    assert reference.score(inside, name, alpha_max)[0] == pytest.approx(group.score, rel=1e-9)
    n_alpha = int((inside <= group.alpha).sum())
    at_alpha = reference.statistic(name, group.alpha, n_alpha, inside.size)
    assert at_alpha == pytest.approx(group.score, rel=1e-9)
    limit = group.score * (1 + 1e-9)
    assert reference.best_images(matrix, group.nodes, name, alpha_max) <= limit
    assert reference.best_nodes(matrix, group.images, name, alpha_max) <= limit


@pytest.mark.parametrize("name", STATISTICS)
@given(
    matrix=matrices(6, 6),
    max_images=st.none() | st.integers(1, 7),
    max_nodes=st.integers(1, 7),
    max_side=st.sampled_from([0, 10]),
)
@settings(max_examples=40, deadline=None)
def test_is_a_fixed_point_among_subsets_within_the_caps(
    name, matrix, max_images, max_nodes, max_side
):
    with patch.object(ascent_module, "MAX_SIDE", max_side):
        group = scan_group(
            matrix, statistic=name, n_restarts=2, max_images=max_images, max_nodes=max_nodes
        )
    assert len(group.images) <= (max_images or len(matrix))
    assert len(group.nodes) <= max_nodes
    if group.score == 0:
        assert not (matrix <= 0.5).any()
        return
    inside = matrix[np.ix_(group.images, group.nodes)]
    assert reference.score(inside, name, 0.5)[0] == pytest.approx(group.score, rel=1e-9)
    limit = group.score * (1 + 1e-9)
    assert reference.best_images(matrix, group.nodes, name, 0.5, max_images) <= limit
    assert reference.best_nodes(matrix, group.images, name, 0.5, max_nodes) <= limit


def problem_of(matrix, name="berk_jones", alpha_max=1.0, caps=None):
    code = list(STATISTICS).index(name)
    caps = caps or matrix.shape
    ranks = GroupRanks.of(rank_pvalues(matrix, alpha_max))
    return Problem(ranks, code, caps, CompiledEngine(ranks, code, caps))


@pytest.mark.parametrize("name", STATISTICS)
@given(
    matrix=matrices(7, 5),
    held=st.lists(st.integers(0, 4), min_size=1, unique=True),
    cap=st.integers(1, 8),
)
@settings(max_examples=40, deadline=None)
def test_step_is_exact_over_all_subsets_of_images(name, matrix, held, cap):
    """Prefixes that end with a group of ties or at the cap are enough: none inside scores more."""
    held = np.array(sorted({h % matrix.shape[1] for h in held}))
    problem = problem_of(matrix, name, caps=(cap, cap))
    score, rank, images = problem.step(True, held, ALL, 0.0)
    expected = max(
        reference.statistic(name, alpha, (matrix[np.ix_(rows, held)] <= alpha).sum(), n)
        for rows in reference.subsets(len(matrix), cap)
        for alpha in np.unique(matrix)
        for n in [len(rows) * len(held)]
    )
    assert score == pytest.approx(expected, rel=1e-9)
    assert len(images) <= cap
    if rank >= 0:
        alpha = problem.ranks.alphas[rank]
        inside = matrix[np.ix_(images, held)]
        found = reference.statistic(name, alpha, (inside <= alpha).sum(), inside.size)
        assert found == pytest.approx(score, rel=1e-9)


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("n_background", [600, 100_000])
def test_is_a_fixed_point_over_every_threshold_where_the_start_is_coarse(name, n_background):
    matrix = planted(40, 60, min(n_background, 2_000), seed=1)
    if n_background > 2_000:  # as good as continuous: no two p-values alike
        matrix = matrix * (1 - 1e-6 * np.random.default_rng(0).random(matrix.shape))
    group = scan_group(matrix, statistic=name, n_restarts=3)
    assert group.n_thresholds == len(np.unique(matrix[matrix <= 0.5])) > N_EDGES
    limit = group.score * (1 + 1e-9)
    assert best_side(matrix, group.nodes, name, 0.5) == pytest.approx(group.score, rel=1e-9)
    assert best_side(matrix, group.nodes, name, 0.5) <= limit
    assert best_side(matrix.T, group.images, name, 0.5) <= limit


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (9, 17), (70, 5), (131, 66)])
def test_coarse_ranks_are_the_first_edges_at_or_above_both_ways_round(shape):
    matrix = planted(*shape, 2_000, seed=3)
    ranked = rank_pvalues(matrix, 0.5)
    ranks = GroupRanks.of(ranked)
    expected = np.searchsorted(ranked.alphas[ranks.edges], matrix)
    expected[expected == len(ranks.edges)] = kernels.ABOVE
    np.testing.assert_array_equal(ranks.coarse[: shape[0], : shape[1]], expected)
    np.testing.assert_array_equal(ranks.turned, ranks.coarse.T)
    assert (ranks.coarse[shape[0] :] == kernels.ABOVE).all()
    assert (ranks.coarse[:, shape[1] :] == kernels.ABOVE).all()


@pytest.mark.parametrize("n_held", [0, 1, 3, 254, 255, 256, 700])
def test_counts_at_levels_are_those_of_plain_comparison(n_held):
    rng = np.random.default_rng(n_held)
    ranks = rng.integers(0, 256, (700, 24)).astype(np.uint8)
    ranks[:, 0] = 0  # all below every limit: bytes would overflow
    held = np.sort(rng.choice(700, n_held, replace=False))
    limits = np.array([0, 3, 90, 254, 17])  # a batch and one more
    counts = np.empty((len(limits), 24), np.int32)
    kernels.count_levels(ranks, held, limits, counts)
    expected = (ranks[held] <= limits[:, None, None]).sum(axis=1)
    np.testing.assert_array_equal(counts, expected)


@given(
    floor_share=st.sampled_from([0.0, 0.5, 0.9, 0.999, 1.0]),
    n_bounds=st.integers(2, 40),
    by_rows=st.booleans(),
    seed=st.integers(0, 50),
)
@settings(max_examples=60, deadline=None)
def test_thresholds_left_out_are_never_those_that_beat_the_floor(
    floor_share, n_bounds, by_rows, seed
):
    matrix = planted(30, 50, 2_000, seed=seed)
    problem = problem_of(matrix, alpha_max=0.5)
    rng = np.random.default_rng(seed)
    held = np.sort(rng.choice(50 if by_rows else 30, 12, replace=False))
    columns = matrix[:, held] if by_rows else matrix[held].T
    best = max(
        float(STATISTICS["berk_jones"](alpha, n_alpha, n).max())
        for alpha in problem.ranks.alphas
        for n_alpha in [np.cumsum(np.sort((columns <= alpha).sum(axis=1))[::-1])]
        for n in [np.arange(1, len(columns) + 1) * len(held)]
    )
    with patch("scanning._group_compiled.N_BOUNDS", n_bounds):
        engine = CompiledEngine(problem.ranks, 0, matrix.shape)
    score, rank, _ = engine.at_all(by_rows, held, floor_share * best * (1 + 1e-12))
    if floor_share == 1.0:
        assert rank == -1
    else:
        assert score == pytest.approx(best, rel=1e-12)


def test_thresholds_in_several_bands_give_the_same(monkeypatch):
    matrix = planted(40, 60, 2_000, seed=2)
    held = scan_group(matrix).nodes
    ranks = problem_of(matrix, alpha_max=0.5).ranks
    whole = CompiledEngine(ranks, 0, matrix.shape).at_all(True, held, 0.0)
    # The Python version of the step sees the smaller limit.
    monkeypatch.setattr(kernels, "MAX_ENTERING", 40)
    monkeypatch.setattr(kernels, "full_step", kernels.full_step.py_func)
    parts = CompiledEngine(ranks, 0, matrix.shape).at_all(True, held, 0.0)
    assert parts[:2] == whole[:2]
    np.testing.assert_array_equal(parts[2], whole[2])


@pytest.mark.parametrize("name", STATISTICS)
def test_gap_of_the_ascent_to_brute_force_is_small_on_the_whole(name, monkeypatch):
    monkeypatch.setattr(ascent_module, "MAX_SIDE", 0)
    gaps = []
    for case in range(40):
        matrix = planted(7, 9, (20, 100, 1_000)[case % 3], seed=case, shift=case % 2)
        best = reference.scan_group(matrix, name, 0.5)
        group = scan_group(matrix, name, n_restarts=30)
        assert not group.is_exact
        gaps.append(1 - group.score / best)
    print(f"{name}: mean gap {np.mean(gaps):.4%}, largest {max(gaps):.2%}")
    assert min(gaps) > -1e-9
    assert np.mean(gaps) < 0.01
    assert max(gaps) < 0.25


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("shape", [(7, 9), (9, 6), (1, 12)])
@pytest.mark.parametrize("alpha_max", [0.2, 1.0])
def test_small_matrices_are_scanned_exactly(name, shape, alpha_max):
    for seed in range(4):
        matrix = planted(*shape, 50, seed=seed)
        group = scan_group(matrix, name, alpha_max, n_restarts=0)
        assert group.is_exact
        assert group.score == pytest.approx(reference.scan_group(matrix, name, alpha_max))


def test_planted_group_is_found():
    group = scan_group(planted(50, 100, 500, seed=5, shift=3.0), n_restarts=3)
    np.testing.assert_array_equal(group.images, np.arange(10))
    np.testing.assert_array_equal(group.nodes, np.arange(10))


def test_more_restarts_never_lower_the_score():
    matrix = planted(30, 40, 300, seed=6)
    scores = [scan_group(matrix, n_restarts=n).score for n in (0, 1, 5, 20)]
    assert scores == sorted(scores)


def test_same_seed_same_result_whatever_the_threads(monkeypatch):
    matrix = planted(40, 90, 500, seed=7)

    def run():
        group = scan_group(matrix, n_restarts=6, seed=11)
        return (
            group.score,
            group.alpha,
            group.images.tolist(),
            group.nodes.tolist(),
            group.n_steps,
            group.restart_scores.tolist(),
        )

    first = run()
    for n_threads in (1, 3, 8):
        monkeypatch.setattr(config, "NUMBA_NUM_THREADS", n_threads)
        assert run() == first


def test_global_random_state_is_left_alone():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    scan_group(planted(10, 20, 50, seed=8))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_result_names_its_parameters():
    group = scan_group([[0.1, 0.6]], "kolmogorov_smirnov", 0.4, 3, 9)
    assert (group.statistic, group.alpha_max, group.n_restarts, group.seed) == (
        "kolmogorov_smirnov",
        0.4,
        3,
        9,
    )
    assert group.n_thresholds == 1
    assert len(group.restart_scores) == 3 + 2
    assert group.restart_scores.max() == group.score
    assert group.n_steps > 0


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize(
    "matrix", [[[0.9]], [[0.6, 0.7], [0.8, 1.0]], np.ones((4, 3)), np.ones((1, 1), np.float16)]
)
def test_nothing_small_is_an_empty_result(name, matrix):
    group = scan_group(matrix, statistic=name)
    assert (group.score, group.size) == (0, 0)
    assert np.isnan(group.alpha)
    assert group.images.shape == group.nodes.shape == (0,)
    assert group.images.dtype == group.nodes.dtype == np.int64


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (3, 4)])
@pytest.mark.parametrize("value", [0.25, 1.0])
def test_all_equal_values(name, shape, value):
    group = scan_group(np.full(shape, value), statistic=name, alpha_max=1.0)
    expected = float(STATISTICS[name](value, shape[0] * shape[1], shape[0] * shape[1]))
    assert group.score == pytest.approx(expected)
    assert group.size == (shape[0] * shape[1] if expected else 0)


def test_type_and_layout_do_not_matter():
    matrix = np.random.default_rng(0).integers(1, 9, (6, 11)) / 8
    expected = scan_group(matrix)
    read_only = matrix.copy()
    read_only.flags.writeable = False
    for variant in (
        matrix.astype(np.float16),
        matrix.astype(np.float32),
        np.asfortranarray(matrix),
        np.repeat(matrix, 2, axis=1)[:, ::2],
        read_only,
        matrix.tolist(),
    ):
        found = scan_group(variant)
        assert found.score == expected.score
        np.testing.assert_array_equal(found.images, expected.images)
        np.testing.assert_array_equal(found.nodes, expected.nodes)


def test_concurrent_scans_do_not_disturb_each_other():
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "import numpy as np\n"
        "from scanning import scan_group\n"
        "p = 1 - np.random.default_rng(0).integers(0, 99, (50, 80)) / 100\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    found = {g.score for g in pool.map(lambda _: scan_group(p), range(12))}\n"
        "assert len(found) == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_subnormal_pvalues_have_finite_scores(engine):
    if engine == "torch":
        pytest.importorskip("torch")
    matrix = np.full((12, 12), 0.6)
    matrix[0, 0] = 1e-310
    matrix[1:4, 1:9] = 1e-5
    group = scan_group(matrix, engine=engine)
    inside = matrix[np.ix_(group.images, group.nodes)]
    assert np.isfinite(group.score)
    n_alpha = (inside <= group.alpha).sum()
    expected = STATISTICS["berk_jones"](group.alpha, n_alpha, inside.size)
    assert group.score == pytest.approx(float(expected), rel=1e-9)
    # All twelve columns with the one tiny value score less than that value alone.
    assert group.score >= 712


@pytest.mark.parametrize("cap", [10**30, 2**63, 2**31])
def test_caps_beyond_all_images_and_nodes_are_none(cap):
    matrix = planted(12, 20, 50, seed=9)
    capped = scan_group(matrix, max_images=cap, max_nodes=cap)
    assert (capped.score, capped.max_images) == (scan_group(matrix).score, cap)
