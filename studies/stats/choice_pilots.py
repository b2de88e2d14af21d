"""What pilot choices between two images tell a plan."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from . import checks
from ._abilities import finite_abilities, slope_of_abilities
from .pairwise import RaoKupper, fit_rao_kupper
from .pilots import FEW_IMAGES, FEW_RATERS, PilotEstimates

# A regression has nothing to go by with fewer images.
FEWEST_IMAGES = 5
# With fewer comparisons of each image, estimated abilities are spread by their errors.
FEW_COMPARISONS = 20
NEAR_ZERO = 0.01


def choice_pilot_estimates(
    frame: pd.DataFrame,
    predictor: Mapping,
    rater: str = "rater",
    simulated: bool = False,
    confidence_level: float = 0.95,
) -> PilotEstimates:
    """Effect, image SD and ties from a pilot in which two images at a time were compared.

    Parameters
    ----------
    frame : DataFrame
        One row per comparison: rater, left, right, choice ("left", "right" or "tie").
    predictor : mapping
        Of each image; standardised over the images that have an ability.
    simulated : bool
        That no person gave these choices.

    Returns
    -------
    PilotEstimates
        `rater_sd` is 0, as nobody can choose more throughout; `slope_sd` is 0 and not
        `slope_fitted`, as two stages cannot tell how raters differ.

    Raises
    ------
    ValueError
        If fewer than five images have a finite ability, all choices are ties, or the predictor
        is missing or the same for all of these images.

    Notes
    -----
    Two stages: abilities by `fit_rao_kupper`, then a random-effects regression of them on the
    predictor that knows their errors (REML, generalised least squares, t). Costs one fit and
    O(images cubed) per step of a search in one dimension.
    """
    level = checks.level(confidence_level)
    checks.columns(frame, [rater, "left", "right", "choice"])
    used = frame.dropna(subset=[rater, "left", "right", "choice"])
    model = fit_rao_kupper(used)
    abilities = finite_abilities(model.abilities)
    if len(abilities) < FEWEST_IMAGES or model.covariance is None or model.tie is None:
        raise ValueError(
            f"the pilot's choices must give {FEWEST_IMAGES} images or more a finite ability; got "
            f"{len(abilities)}. {' '.join(model.warnings)}"
        )
    values = np.array([predictor.get(image, np.nan) for image in abilities], dtype=float)
    spread = float(values.std())
    if np.isnan(values).any() or not spread > 0:
        raise ValueError("predictor must be known and vary over the pilot's images")
    x = (values - values.mean()) / spread
    slope = slope_of_abilities(np.array(list(abilities.values())), model.covariance, x)
    reach = float(stats.t.ppf((1 + level) / 2, slope.degrees_of_freedom)) * slope.standard_error
    cuts = {"right|tie": -model.tie, "tie|left": model.tie} if model.n_ties else {"right|left": 0.0}
    n_raters = int(used[rater].nunique())
    return PilotEstimates(
        method="Rao-Kupper abilities, then random-effects regression on the predictor (REML)",
        effect=slope.estimate,
        standard_error=slope.standard_error,
        degrees_of_freedom=slope.degrees_of_freedom,
        interval=(slope.estimate - reach, slope.estimate + reach),
        confidence_level=level,
        thresholds=cuts,
        rater_sd=0.0,
        image_sd=slope.image_sd,
        slope_sd=0.0,
        slope_fitted=False,
        link="logit",
        n_ratings=model.n_comparisons,
        n_raters=n_raters,
        n_images=len(abilities),
        n_missing=len(frame) - len(used),
        simulated=simulated,
        warnings=_caution(model, n_raters, slope.image_sd, simulated),
    )


def _caution(model: RaoKupper, n_raters: int, image_sd: float, simulated: bool) -> tuple[str, ...]:
    n_images = model.n_images
    said = [
        f"Estimates from {n_raters} raters and {n_images} images are uncertain, and a pilot that "
        "is followed up because it looked good overstates its effect: plan with the safeguard "
        "effect, or with the smallest effect that matters.",
        "How far raters differ in going with the predictor cannot be told from comparisons in "
        "this way: the plan assumes it.",
    ]
    if simulated:
        said.insert(0, "The pilot's raters are simulated: nothing here comes from people.")
    if n_raters < FEW_RATERS or n_images < FEW_IMAGES:
        said.append(
            f"With fewer than {FEW_RATERS} raters or {FEW_IMAGES} images the standard deviation "
            "of images is rough."
        )
    if image_sd < NEAR_ZERO:
        said.append(
            "What a pilot estimates as zero may well not be: plan also with a standard deviation "
            "of images that is given."
        )
    each = 2 * model.n_comparisons / model.n_images
    if each < FEW_COMPARISONS:
        said.append(
            f"Abilities from {each:.0f} comparisons each lie too far apart, and the effect is too "
            "large with them."
        )
    # What holds of every fit without ties is no trouble.
    said += [text for text in model.warnings if not text.startswith("There are no ties")]
    return tuple(said)
