"""The Methods paragraphs of a manuscript, from what was recorded."""

from . import analysis_methods, procedure, stimuli
from .document import Items, Mark, Paragraph, Section, Words, words
from .facts import Facts
from .reading import Result
from .references import Citations


def methods(facts: Facts, result: Result, cite: Citations) -> Section:
    parts: list[tuple[str, Words]] = [
        ("Stimuli", stimuli.generation(facts, cite)),
        ("Subset scanning", stimuli.scanned(facts, cite)),
        ("Selection of images", stimuli.drawn(facts)),
        ("Participants", procedure.participants(facts, result)),
        ("Task", procedure.task(facts)),
        ("Data quality", procedure.quality(facts, result)),
        ("Analysis", analysis_methods.analysis(result, cite)),
        ("Computation", analysis_methods.computed_with(facts, result)),
    ]
    blocks = tuple(
        Paragraph(words(Mark(f"{title}.", "b"), " ", text)) for title, text in parts if text
    )
    return Section("methods", "Method", blocks, copyable=True)


def references(cite: Citations) -> Section:
    """What the report cites; made last, when everything has been cited."""
    listed = tuple(words(each) for each in cite.listed())
    return Section("references", "References", (Items(listed),) if listed else ())
