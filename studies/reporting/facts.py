"""What a report is told of a study besides its analysis: plain values, gathered by a service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Picture:
    """An image's file, and the nodes of its anomalous subset."""

    image: str
    content: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    nodes: Sequence[int] = field(repr=False)


@dataclass(frozen=True)
class Facts:
    """
    study : title, responsible, slug, state, language, seed, and the fields of its policies
    questions : each with key, kind, text, options, choices (labels) and number (what is counted)
    blocks_before, blocks_after : kinds of the steps around the ratings
    checks : kind → how many attention checks and catch trials each participant meets
    scan : every parameter of the scan and of its calibration, as exports have them
    background, test_sets, held_out : each set with name, n, process and generation
    model : architecture, configuration, training; None where images came from outside
    strata : stratum → images to be rated
    rules : quality rules that are not off: key, name, about, limit
    flow : how many participants came how far, by the names of `flow.STAGES`
    detection : how well scores and sizes tell creative from normal images
    n_newer : answers that came since the analysis; None where the data are as they were then
    pictures : the images whose maps are shown, by public id
    """

    study: Mapping[str, Any]
    questions: Sequence[Mapping[str, Any]]
    blocks_before: Sequence[str]
    blocks_after: Sequence[str]
    checks: Mapping[str, int]
    scan: Mapping[str, Any]
    background: Mapping[str, Any]
    test_sets: Sequence[Mapping[str, Any]]
    held_out: Sequence[Mapping[str, Any]]
    model: Mapping[str, Any] | None
    strata: Mapping[str, int]
    rules: Sequence[Mapping[str, Any]]
    flow: Mapping[str, int]
    detection: Sequence[Mapping[str, Any]]
    n_newer: int | None
    pictures: Mapping[str, Picture]
    written_at: datetime
    version: str

    def rule_names(self) -> dict[str, str]:
        """The rules in a few words each, by the names that plans call them."""
        return {rule["key"]: rule["name"] for rule in self.rules}
