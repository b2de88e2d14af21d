"""Statistics of rating studies: arrays and frames in, frozen results out."""

from ._threads import one_blas_thread
from .agreement import krippendorff_alpha
from .association import RankAssociation, partial_rank_association, rank_association
from .ceiling import disattenuated, split_half
from .chance_corrected import fleiss_kappa, gwet_ac
from .choice_pilots import choice_pilot_estimates
from .clmm import fit_clmm, likelihood_ratio
from .costs import CostRates, study_cost
from .crossed_association import CrossedRankAssociation, crossed_rank_association
from .dependent import rank_difference
from .groups import auc, two_groups
from .lmm import fit_lmm
from .multiplicity import adjust_p_values
from .multiverse import Multiverse, run_multiverse, specifications
from .pairwise import fit_rao_kupper
from .pilots import PilotEstimates, pilot_estimates, quantile_categories
from .planning import Plan, plan_study
from .rating_model import RatingModel, rating_model
from .reliability import icc
from .simulated_choices import ChoiceDesign, ChoiceModel, simulate_choices
from .simulated_ratings import RatingDesign, simulate_ratings
from .trend import ordered_trend

__all__ = [
    "ChoiceDesign",
    "ChoiceModel",
    "CostRates",
    "CrossedRankAssociation",
    "Multiverse",
    "PilotEstimates",
    "Plan",
    "RankAssociation",
    "RatingDesign",
    "RatingModel",
    "adjust_p_values",
    "auc",
    "choice_pilot_estimates",
    "crossed_rank_association",
    "disattenuated",
    "fit_clmm",
    "fit_lmm",
    "fit_rao_kupper",
    "fleiss_kappa",
    "gwet_ac",
    "icc",
    "krippendorff_alpha",
    "likelihood_ratio",
    "one_blas_thread",
    "ordered_trend",
    "partial_rank_association",
    "pilot_estimates",
    "plan_study",
    "quantile_categories",
    "rank_association",
    "rank_difference",
    "rating_model",
    "run_multiverse",
    "simulate_choices",
    "simulate_ratings",
    "specifications",
    "split_half",
    "study_cost",
    "two_groups",
]
