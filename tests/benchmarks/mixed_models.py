"""CPU seconds of the mixed models against R (ordinal, lme4) and statsmodels, in one run.

    python -m tests.benchmarks.mixed_models
    python -m tests.benchmarks.mixed_models --clmm 4000 40000 --statsmodels 4000 40000
    python -m tests.benchmarks.mixed_models --large

R needs Debian's r-cran-ordinal and r-cran-lme4. Whoever is absent is skipped with a message.
Everybody fits the same simulated ratings in one thread. The second command takes about half an
hour and 5 GB: clmm and MixedLM are slow on 40,000 ratings. The third fits 100,000 ratings with
rater slopes, of many raters and of many images, and prints our own time and peak memory alone.
"""

import argparse
import os
import resource
import shutil
import subprocess
import tempfile
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

# Before numpy starts its threads; R inherits them.
os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})

import numpy as np
import pandas as pd

from studies.stats import fit_clmm, fit_lmm

PREDICTORS = ["size_z", "score_z"]
# Ratings: raters, images, ratings per rater.
DESIGNS = {400: (20, 40, 20), 4_000: (100, 100, 40), 40_000: (400, 400, 100)}
LARGE = {"many raters": (2_500, 400, 40), "many images": (1_000, 1_000, 100)}
R_SCRIPT = """
suppressMessages(library({package}))
frame <- read.csv("{path}")
frame$rater <- factor(frame$rater)
frame$image <- factor(frame$image)
{prepare}
before <- proc.time()
fit <- {fit}
spent <- proc.time() - before
cat(format(c(spent[["user.self"]] + spent[["sys.self"]], logLik(fit)), digits = 15))
"""


def simulated(n_ratings: int, seed: int = 0) -> pd.DataFrame:
    """Ratings of the design of that size."""
    return ratings(*DESIGNS[n_ratings], seed)


def ratings(n_raters: int, n_images: int, per_rater: int, seed: int = 0) -> pd.DataFrame:
    """Seven-point crossed ratings with rater slopes."""
    rng = np.random.default_rng(seed)
    rater = np.repeat(np.arange(n_raters), per_rater)
    image = np.concatenate(
        [rng.choice(n_images, per_rater, replace=False) for _ in range(n_raters)]
    )
    size, score = rng.normal(size=(2, n_images))
    slope = 0.5 + 0.3 * rng.normal(size=n_raters)
    latent = slope[rater] * size[image] + 0.2 * score[image] + rng.logistic(size=rater.size)
    latent += 0.9 * rng.normal(size=n_raters)[rater] + 0.7 * rng.normal(size=n_images)[image]
    return pd.DataFrame(
        {
            "rater": rater,
            "image": image,
            "size_z": size[image],
            "score_z": score[image],
            "rating": np.digitize(latent, np.linspace(-2.5, 2.5, 6)) + 1,
        }
    )


def ours(model: str, frame: pd.DataFrame, slopes: tuple[str, ...]) -> tuple[float, float]:
    """CPU seconds, the best of three, and the log likelihood."""
    fit = fit_clmm if model == "clmm" else fit_lmm
    spent = []
    for _ in range(3):
        before = time.process_time()
        result = fit(frame, fixed=PREDICTORS, rater_slopes=slopes)
        spent.append(time.process_time() - before)
    return min(spent), result.log_likelihood


def in_r(model: str, path: Path, slopes: tuple[str, ...]) -> tuple[float, float] | None:
    """CPU seconds and log likelihood of clmm or lmer; None where R or the package is absent."""
    package, prepare = ("ordinal", "frame$rating <- factor(frame$rating)")
    if model == "lmm":
        package, prepare = "lme4", ""
    effects = " + ".join([*PREDICTORS, f"({' + '.join(['1', *slopes])} | rater)", "(1 | image)"])
    call = f"{'clmm' if model == 'clmm' else 'lmer'}(rating ~ {effects}, data = frame)"
    script = path.with_suffix(".R")
    script.write_text(R_SCRIPT.format(package=package, path=path, prepare=prepare, fit=call))
    program = shutil.which("Rscript")
    if program is None:
        return None
    done = subprocess.run([program, str(script)], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"R failed, skipped: {done.stderr.strip().splitlines()[-1]}")
        return None
    spent, likelihood = done.stdout.split()[-2:]
    return float(spent), float(likelihood)


def in_statsmodels(frame: pd.DataFrame) -> tuple[float, float]:
    """CPU seconds and log likelihood of MixedLM with two variance components, by its default."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = time.process_time()
        result = MixedLM.from_formula(
            f"rating ~ {' + '.join(PREDICTORS)}",
            frame,
            groups=np.ones(len(frame)),
            re_formula="0",
            vc_formula={"rater": "0 + C(rater)", "image": "0 + C(image)"},
        ).fit()
        return time.process_time() - before, float(result.llf)


def large() -> None:
    """Our own seconds and peak memory, everything loaded included, on 100,000 ratings."""
    print(f"{'CPU seconds':40}{'ours':>8} {'peak':>9}")
    for name, design in LARGE.items():
        frame = ratings(*design)
        for model, fit in (("lmm", fit_lmm), ("clmm", fit_clmm)):
            before = time.process_time()
            fit(frame, fixed=PREDICTORS, rater_slopes=["size_z"])
            spent = time.process_time() - before
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            title = f"{model} 100,000 slope, {name}"
            print(f"{title:40}{spent:8.2f} {peak:6.0f} MB")


def told(result: tuple[float, float] | None, own: tuple[float, float]) -> str:
    """Seconds, how many times slower than ours, and the log likelihood's distance from ours."""
    if result is None:
        return f"{'-':>10} {'-':>8} {'-':>9}"
    return f"{result[0]:10.2f} {result[0] / own[0]:7.1f}x {result[1] - own[1]:9.1e}"


def main() -> None:
    sizes = {"type": int, "nargs": "*", "choices": list(DESIGNS)}
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lmm", **sizes, default=[4_000, 40_000], help="ratings for lmer")
    parser.add_argument("--clmm", **sizes, default=[4_000], help="ratings for clmm")
    parser.add_argument("--statsmodels", **sizes, default=[4_000], help="ratings for MixedLM")
    parser.add_argument("--large", action="store_true", help="100,000 ratings, ours alone")
    asked = parser.parse_args()
    if asked.large:
        large()
        return
    if shutil.which("Rscript") is None:
        print("R is not installed: its columns are skipped.")
    if find_spec("statsmodels") is None:
        print("statsmodels is not installed: its columns are skipped.")
    print(f"{'CPU seconds':27}{'ours':>8} ", end="")
    print(" ".join(f"{name:>10} {'slower':>8} {'logLik -':>9}" for name in ("R", "statsmodels")))
    with tempfile.TemporaryDirectory() as folder:
        for model in ("clmm", "lmm"):
            for n_ratings in sorted({*asked.lmm, *asked.clmm, *asked.statsmodels}):
                frame = simulated(n_ratings)
                path = Path(folder) / "frame.csv"
                frame.to_csv(path, index=False)
                for slopes in ((), ("size_z",)):
                    own = ours(model, frame, slopes)
                    wanted = n_ratings in (asked.clmm if model == "clmm" else asked.lmm)
                    reference = in_r(model, path, slopes) if wanted else None
                    peer = None
                    if model == "lmm" and not slopes and n_ratings in asked.statsmodels:
                        peer = in_statsmodels(frame) if find_spec("statsmodels") else None
                    name = f"{model} {n_ratings:,} {'slope' if slopes else 'intercepts'}"
                    print(f"{name:27}{own[0]:8.3f} {told(reference, own)} {told(peer, own)}")


if __name__ == "__main__":
    main()
