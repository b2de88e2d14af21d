"""Results: the images that were judged most and least creative, and where their subsets lie."""

from studies.figures import MappedImage, image_maps, node_map

from . import apa
from .document import Block, Figure, Paragraph, Section, words
from .facts import Facts
from .reading import Result, primary

N_SHOWN = 4


def extremes(result: Result) -> dict[str, list[Result]]:
    """The images with the highest and the lowest means of the headline's question, in order."""
    asked = primary(result)
    rated = [row for row in (asked or {}).get("images") or [] if row.get("mean") is not None]
    # Ties by the image's id: the same data show the same images.
    ordered = sorted(rated, key=lambda row: (-row["mean"], row["image"]))
    n = min(N_SHOWN, len(ordered) // 2)
    return {"highest": ordered[:n], "lowest": ordered[len(ordered) - n :][::-1]} if n else {}


def images(facts: Facts, result: Result, mark: str | None) -> Section:
    asked = primary(result)
    shown = extremes(result)
    blocks: list[Block] = []
    groups = [
        (title, [mapped(facts, row) for row in shown[key] if row["image"] in facts.pictures])
        for key, title in (("highest", "Highest means"), ("lowest", "Lowest means"))
        if key in shown
    ]
    if asked is not None and any(found for _, found in groups):
        n = sum(len(found) for _, found in groups)
        drawing = image_maps(groups, mark=mark)
        blocks.append(
            Figure(
                "images",
                words(
                    f"The images with the {n // 2} highest and {n // 2} lowest means on "
                    f"“{asked['text']}”. Under each, the nodes of its own anomalous subset at the "
                    f"layer {facts.scan['layer']}, coloured by process. Means of single images are "
                    "uncertain (95% intervals over raters), so the order among neighbours is too."
                ),
                "Images over maps of their subsets’ nodes: "
                + "; ".join(
                    f"{title}: " + ", ".join(image.lines[0] for image in found)
                    for title, found in groups
                )
                + ".",
                drawing,
            )
        )
    else:
        blocks.append(Paragraph(words("Too few images have been rated to show extremes.")))
    return Section("images", "Most and least creative images", tuple(blocks))


def mapped(facts: Facts, row: Result) -> MappedImage:
    picture = facts.pictures[row["image"]]
    bounds = None if row.get("low") is None else [row["low"], row["high"]]
    return MappedImage(
        process=row["process"],
        lines=(
            f"{apa.number(row['mean'])} {apa.interval(bounds) if bounds else ''}".strip(),
            f"{row['process']}, {row['n']} ratings",
            f"{row['size']:,} nodes, score {apa.number(row['score'], 1)}",
            "in the group’s subset" if row["in_group"] else "outside the group’s subset",
        ),
        content=picture.content,
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        map=node_map(
            facts.scan["node_shape"], list(picture.nodes), (picture.width, picture.height)
        ),
    )
