"""The scanner against the Adversarial Robustness Toolbox's, on the same p-values, in one run.

    python -m pip install --no-deps -r tests/benchmarks/requirements.txt
    python -m tests.benchmarks.scanner [--runs 5] [--replicates 1000] [--activations FILE.npz]

Nothing is installed by this script; the first line does it, with ``--no-deps`` and with the
three packages that the peer's scanner imports (``--target FOLDER`` and ``PYTHONPATH=FOLDER``
keep them apart). Times are medians in seconds after one call to warm up, peer and ours taking
turns. Ours starts from five random subsets and its two fixed ones, the peer from five. FILE.npz
holds real activations, `background` (B, J) and `test` (M, J), for one more comparison.
"""

import argparse
import statistics
import sys
import time

import numpy as np

from scanning import Background, berk_jones, scan_group, scan_images
from scanning import _group_numba as kernels
from scanning import group as group_module


def peer():
    """The peer's scanner and detector classes, or None where it is not installed."""
    try:
        from art.defences.detector.evasion.subsetscanning.detector import SubsetScanningDetector
        from art.defences.detector.evasion.subsetscanning.scanner import Scanner
    except ImportError as error:
        print(f"The peer is not installed ({error}); see the head of {__file__}.")
        return None
    return Scanner, SubsetScanningDetector


def planted(n_images, n_nodes, n_background, seed=0):
    """Activations: a fifth of the images and a tenth of the nodes are shifted by 1."""
    rng = np.random.default_rng(seed)
    background = rng.standard_normal((n_background, n_nodes), dtype=np.float32)
    test = rng.standard_normal((n_images, n_nodes), dtype=np.float32)
    test[: n_images // 5, : n_nodes // 10] += 1
    return background, test


def seconds(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def compare(theirs, ours, runs):
    """Median seconds of each, in turn, and all their results."""
    ours()
    their_runs, our_runs = [], []
    for _ in range(runs):
        their_runs.append(seconds(theirs))
        our_runs.append(seconds(ours))
    medians = [statistics.median(time for time, _ in run) for run in (their_runs, our_runs)]
    return medians, [result for _, result in their_runs], [result for _, result in our_runs]


def line(work, theirs, ours, wanted, note=""):
    ratio = theirs / ours
    verdict = "reached" if ratio >= wanted else "NOT reached"
    print(f"{work:<44}{theirs:9.4f}{ours:9.4f}{ratio:8.1f}× {wanted:5.0f}× {verdict} {note}")


def group_scans(scanner, name, pvalues, runs, wanted):
    ranges = np.stack([pvalues, pvalues], axis=2)
    np.random.seed(0)  # noqa: NPY002 - the peer reads the global state
    (theirs, ours), their_results, our_results = compare(
        lambda: scanner.fgss_for_nets(ranges, restarts=5),
        lambda: scan_group(pvalues, n_restarts=5),
        runs,
    )
    best = max(result[0] for result in their_results)
    score = our_results[0].score
    verdict = "" if score >= best else "BELOW THE PEER"
    line(name, theirs, ours, wanted, f"score {score:.1f}, peer's best {best:.1f} {verdict}")
    return theirs


def pvalue_runs(detector_class, n_background, runs):
    background, test = planted(500, 3136, n_background)
    detector = object.__new__(detector_class)
    detector._layer_name = "layer"
    detector._get_activations = lambda activations, *_: activations

    def theirs():
        detector.sorted_bgd_activations = np.sort(background, axis=0)
        return detector._calculate_pvalue_ranges(test)[:, :, 1]

    (slow, fast), their_results, our_results = compare(
        theirs, lambda: Background.fit(background).pvalues(test), runs
    )
    np.testing.assert_allclose(our_results[0], their_results[0], rtol=1e-12)
    line(f"p-values with fitting, 500 × 3136, B = {n_background}", slow, fast, 15)


def individual_scans(scanner, runs):
    background, test = planted(1_000, 3136, 1_000)
    pvalues = Background.fit(background).pvalues(test)
    ranges = np.stack([pvalues, pvalues], axis=2)
    (theirs, ours), their_results, our_results = compare(
        lambda: [scanner.fgss_individ_for_nets(image)[0] for image in ranges],
        lambda: scan_images(pvalues).scores,
        runs,
    )
    np.testing.assert_allclose(our_results[0], their_results[0], rtol=1e-9)
    line("1000 individual scans, 3136 nodes", theirs, ours, 20, "equal scores")


def calibration(theirs, n_replicates):
    background, normal = planted(1_500, 3136, 1_000)
    ranked = Background.fit(background).ranks(normal[500:])
    rng = np.random.default_rng(0)

    def replicates():
        for _ in range(n_replicates):
            scan_group(ranked.images(rng.choice(len(ranked), 500, replace=False)), n_restarts=5)

    scan_group(ranked.images(range(500)), n_restarts=5)
    ours, _ = seconds(replicates)
    line(
        f"{n_replicates} null groups of 500 × 3136, as 20 scans",
        20 * theirs * n_replicates / 1_000,
        ours,
        1,
        "(the peer's side: 20 times its median)",
    )


def reading():
    """Bytes per second of the counting pass against a plain read of the same array."""
    background, test = planted(4_000, 12_544, 300)
    ranked = group_module.rank_pvalues(Background.fit(background).ranks(test), 0.5)
    problem = group_module._Problem.of(ranked, 0, ranked.ranks.shape)
    coarse, nodes = problem.coarse, np.arange(ranked.ranks.shape[1])
    counts = np.empty((len(problem.edges), len(coarse)), np.int32)
    nothing = np.zeros(len(coarse), np.int32)
    words = coarse.view(np.uint64)
    passes = {
        "plain read": lambda: np.bitwise_xor.reduce(words, axis=None),
        "counting, images": lambda: kernels._count_rows(coarse, nodes, 0, nothing, counts),
    }
    counts_of_nodes = np.empty((len(problem.edges), len(nodes)), np.int32)
    no_nodes = np.zeros(len(nodes), np.int32)
    images = np.arange(len(coarse))
    passes["counting, nodes"] = lambda: kernels._count_columns(
        coarse, images, 0, no_nodes, counts_of_nodes
    )
    speeds = {}
    for name, work in passes.items():
        work()
        speeds[name] = coarse.nbytes / statistics.median(seconds(work)[0] for _ in range(5))
    print("\nOne byte per p-value, one thread, 50 MB:")
    for name, speed in speeds.items():
        print(f"  {name:<18}{speed / 1e9:7.2f} GB/s  {speed / speeds['plain read']:6.1%}")


def brute_force(pvalues, alpha_max=0.5):
    """Highest Berk–Jones score: every subset of images, and for each every prefix of nodes."""
    chosen = (np.arange(1, 1 << len(pvalues))[:, None] >> np.arange(len(pvalues))) & 1
    best = 0.0
    for alpha in np.unique(pvalues[pvalues <= alpha_max]):
        counts = -np.sort(-(chosen @ (pvalues <= alpha)), axis=1)
        n = chosen.sum(axis=1)[:, None] * np.arange(1, pvalues.shape[1] + 1)
        best = max(best, float(berk_jones(alpha, counts.cumsum(axis=1), n).max()))
    return best


def small_case(case):
    """8 × 10 p-values: uniform ones, and empirical ones with and without a planted group."""
    rng = np.random.default_rng(case)
    if case % 4 == 0:
        return 1.0 - rng.random((8, 10))
    background = rng.normal(size=((20, 100, 1_000)[case % 4 - 1], 10))
    test = rng.normal(size=(8, 10))
    test[:2, :2] += case // 4 % 2
    return Background.fit(background).pvalues(test)


def gaps(scanner, n_cases=200):
    cases = [small_case(case) for case in range(n_cases)]
    optima = np.array([brute_force(case) for case in cases])

    def ours(n_restarts):
        return [scan_group(case, n_restarts=n_restarts).score for case in cases]

    found = {"ours, as it is (exhaustive at this size)": ours(10)}
    largest, group_module.MAX_SIDE = group_module.MAX_SIDE, 0
    try:
        for n_restarts in (5, 10, 30, 100):
            found[f"our ascent alone, {n_restarts} restarts"] = ours(n_restarts)
    finally:
        group_module.MAX_SIDE = largest
    if scanner is not None:
        np.random.seed(0)  # noqa: NPY002
        for n_restarts in (5, 8):

            def theirs(pvalues, n=n_restarts):
                if not (pvalues <= 0.5).any():
                    return 0.0
                return scanner.fgss_for_nets(np.stack([pvalues] * 2, axis=2), restarts=n)[0]

            found[f"peer, {n_restarts} restarts"] = [theirs(case) for case in cases]
    print(f"\nBelow brute force over {n_cases} cases of 8 × 10:")
    for name, scores in found.items():
        gap = 1.0 - np.array(scores) / optima
        missed = np.sort(gap[gap > 1e-9])[::-1]
        print(
            f"  {name:<42} mean {gap.mean():8.4%}, largest {gap.max():7.3%}, missed {len(missed)}"
        )
        print("    " + " ".join(f"{value:.2%}" for value in missed))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--replicates", type=int, default=1_000)
    parser.add_argument("--activations", help="npz file with arrays background and test")
    options = parser.parse_args(arguments)
    found = peer()
    if found is not None:
        scanner, detector = found
        print(f"{'work':<44}{'peer s':>9}{'ours s':>9}{'ratio':>9} {'goal':>6}")
        for n_images, n_nodes, wanted in ((500, 3136, 100), (1_000, 6272, 200)):
            background, test = planted(n_images, n_nodes, 1_000)
            pvalues = Background.fit(background).pvalues(test)
            name = f"group scan, {n_images} × {n_nodes}, 5 restarts"
            theirs = group_scans(scanner, name, pvalues, options.runs, wanted)
            if n_images == 500:
                small = theirs
        if options.activations:
            with np.load(options.activations) as arrays:
                pvalues = Background.fit(arrays["background"]).pvalues(arrays["test"])
            name = "group scan, {} × {}, real".format(*pvalues.shape)
            group_scans(scanner, name, pvalues, options.runs, 100)
        for n_background in (1_000, 2_000):
            pvalue_runs(detector, n_background, options.runs)
        individual_scans(scanner, options.runs)
        calibration(small, options.replicates)
    reading()
    gaps(found[0] if found else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
