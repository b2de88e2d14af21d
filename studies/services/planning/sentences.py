"""What a plan says, in words: an answer for each effect, and every assumption with its source.

They are told from the plan as it is stored, so that a page says of an old plan what it said then.
"""

import math
from typing import Any

from studies import wording

SOURCES = {
    "given": "given",
    "default": "default",
    "pilot": "pilot",
    "pilot, safeguard": "pilot, safeguard",
}
# The words for what messages of the library call by the name of a parameter.
PLAIN = {
    "n_images": "images",
    "n_raters": "raters",
    "n_replicates": "simulated studies per design",
    "ratings_per_image": "ratings per image",
    "trials_per_rater": "images per person",
    "rater_sd": "SD of raters",
    "image_sd": "SD of images",
    "slope_sd": "SD of slopes",
    "hourly_pay": "pay per hour",
    "seconds_per_trial": "seconds per rating",
}


def plain(message: str) -> str:
    """`message` with the names of parameters in words."""
    for name, words in PLAIN.items():
        message = message.replace(name, words)
    return message


def sentence(message: str) -> str:
    said = plain(message)
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith('.') else '.'}"


def effect_words(effect: float, link: str) -> str:
    """An effect as a reader knows it: as an odds ratio where it is one."""
    if link == "logit":
        return f"an odds ratio of {math.exp(effect):.2f} per SD"
    return f"an effect of {wording.number(effect)} probits per SD"


def share_words(share: dict[str, Any]) -> str:
    """83 % [75, 89]"""
    low, high = (100 * limit for limit in share["interval"])
    # Neither the sign nor the interval is parted from the number at the end of a line.
    return f"{100 * share['estimate']:.0f}\u00a0%\u00a0[{low:.0f},\u00a0{high:.0f}]"


def money(cost: dict[str, Any]) -> str:
    """£324, or 324 EUR."""
    amount = f"{cost['total']:,.0f}"
    sign = not any(map(str.isalpha, cost["currency"]))
    return f"{cost['currency']}{amount}" if sign else f"{amount}\u00a0{cost['currency']}"


def hours(cost: dict[str, Any]) -> str:
    n = cost["participant_hours"]
    return f"{n:,.0f}" if n >= 10 else f"{n:,.1f}"


def design_words(cell: dict[str, Any]) -> str:
    """80 images rated by 40 people, each image by 20 of them"""
    design = cell["design"]
    people = wording.count(design["n_raters"], "person", "people")
    images = wording.count(design["n_images"], "image")
    if cell["analysis"] == "ranks":
        times = wording.count(design["ratings_per_image"], "comparison")
        return f"{images} compared by {people}, each image in {times}"
    return f"{images} rated by {people}, each image by {design['ratings_per_image']} of them"


def cost_words(cell: dict[str, Any]) -> str:
    return f"about {hours(cell['cost'])} participant-hours, {money(cell['cost'])}"


def answers(plan: dict[str, Any], power: float) -> list[dict[str, Any]]:
    """For each effect a sentence, and the cell that it is about (its place, or None).

    The cheapest design that reaches the power; else, said to be too small, the most powerful.
    """
    told = []
    for effect in dict.fromkeys(cell["model"]["effect"] for cell in plan["cells"]):
        places = [n for n, cell in enumerate(plan["cells"]) if cell["model"]["effect"] == effect]
        told.append({"effect": effect, **answer(plan, effect, places, power)})
    return told


def answer(plan: dict[str, Any], effect: float, places: list[int], power: float) -> dict[str, Any]:
    cells = plan["cells"]
    if effect == 0:
        return {"sentence": without_effect([cells[n] for n in places], plan), "cell": None}
    what = effect_words(effect, cells[places[0]]["model"]["link"])
    enough = [n for n in places if cells[n]["rejections"]["estimate"] >= power]
    if enough:
        place = min(enough, key=lambda n: price(cells[n]))
        cell = cells[place]
        said = (
            f"{design_words(cell)}, find {what} in {share_words(cell['rejections'])} of studies; "
            f"{cost_words(cell)}."
        )
        return {
            "sentence": said,
            "cell": place,
            "enough": True,
            "certain": cell["rejections"]["interval"][0] >= power,
        }
    place = max(places, key=lambda n: cells[n]["rejections"]["estimate"])
    cell = cells[place]
    none_of = "This design does not find" if len(places) == 1 else "None of these designs finds"
    best = "It does" if len(places) == 1 else f"The best of them, {design_words(cell)}, does"
    return {
        "sentence": f"{none_of} {what} in {100 * power:.0f} % of studies. {best} in "
        f"{share_words(cell['rejections'])}; {cost_words(cell)}.",
        "cell": place,
        "enough": False,
    }


def without_effect(cells: list[dict[str, Any]], plan: dict[str, Any]) -> str:
    shares = sorted(cells, key=lambda cell: cell["rejections"]["estimate"])
    lowest, highest = shares[0]["rejections"], shares[-1]["rejections"]
    told = share_words(lowest)
    if lowest["estimate"] < highest["estimate"]:
        told = f"from {told} to {share_words(highest)}, by design,"
    return (
        f"Where there is no effect, {told} of studies find one all the same; "
        f"{100 * plan['alpha']:g} % should."
    )


def price(cell: dict[str, Any]) -> tuple[float, float]:
    """Money first; hours where nobody is paid."""
    return cell["cost"]["total"], cell["cost"]["participant_hours"]


def assumptions(plan: dict[str, Any]) -> list[dict[str, str]]:
    """Every assumption of the rating model: what it is, its value, where it comes from."""
    models = [cell["model"] for cell in plan["cells"]]
    sources = plan["sources"]

    def values(name: str) -> str:
        return ", ".join(dict.fromkeys(wording.number(model[name]) for model in models))

    ratio = ", ".join(dict.fromkeys(f"{math.exp(model['effect']):.2f}" for model in models))
    effect = f"{values('effect')} {plan['unit']}"
    if models[0]["link"] == "logit":
        effect += f" (odds ratio {ratio})"
    shares = " · ".join(f"{100 * share:.0f}" for share in models[0]["proportions"])
    images = "image_sd" if "image_sd" in sources else "reliability"
    scale = "thresholds" if "thresholds" in sources else "proportions"
    # Of the first effect, as it is part of what differs between images.
    reliabilities = {
        cell["design"]["ratings_per_image"]: cell["reliability"] for cell in reversed(plan["cells"])
    }
    icc = ", ".join(f"{value:.2f} of {k}" for k, value in sorted(reliabilities.items()))
    rows = [
        ("Effect", effect, "effect"),
        ("SD of raters", values("rater_sd"), "rater_sd"),
        ("SD of images beyond it", values("image_sd"), images),
        ("Reliability of the mean", f"{icc} ratings (ICC, latent scale)", images),
        ("SD of raters’ slopes", values("slope_sd"), "slope_sd"),
        ("Answers by category", f"{shares} %", scale),
    ]
    if plan["cells"][0]["analysis"] == "ranks":
        rows[3] = ("Reliability of abilities", f"about {icc} comparisons", images)
        kinds = "right, tie, left" if len(models[0]["proportions"]) == 3 else "right, left"
        rows[5] = (f"Choices: {kinds}", f"{shares} %", scale)
        # Nobody can choose more throughout.
        del rows[1]
    return [
        {"name": name, "value": value, "source": sources[source]} for name, value, source in rows
    ]
