"""Doing an assignment over again from the log, to show that it was what the protocol says."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from studies.models import Balance, Event, ImageRole, Study, StudyImage
from studies.services.assignment import as_logged
from studies.services.choosing import plan_participation
from studies.services.design import first_shuffles

# Lines of the log that change how often images count as assigned, by how much.
CHANGES = {"slots_returned": -1, "slots_taken_again": 1}


@dataclass
class RebuiltLoads:
    """Loads as they were at one moment, rebuilt from the log."""

    stratum_of: dict[int, str]
    shuffle: dict[int, float]
    assigned: Counter[int] = field(default_factory=Counter)

    def ordered(self) -> list[int]:
        return sorted(
            self.stratum_of, key=lambda image: (self.assigned[image], self.shuffle[image], image)
        )

    def per_stratum(self, limit: int | None) -> Mapping[str, tuple[int, float]]:
        members: dict[str, list[int]] = {}
        for image, stratum in self.stratum_of.items():
            members.setdefault(stratum, []).append(self.assigned[image])
        return {
            stratum: (sum(limit is None or n < limit for n in counts), sum(counts) / len(counts))
            for stratum, counts in members.items()
        }

    def least(self, stratum: str, n: int, limit: int | None) -> list[int]:
        inside = (image for image in self.ordered() if self.stratum_of[image] == stratum)
        free = [image for image in inside if limit is None or self.assigned[image] < limit]
        return free[:n]

    def every(self) -> dict[int, int]:
        return {image: self.assigned[image] for image in self.ordered()}


@dataclass(frozen=True)
class Replayed:
    """One participant's assignment done over again: trials as (role, images, check, pair)."""

    participant: str
    seed: int
    logged: list[list]
    again: list[list]

    @property
    def same(self) -> bool:
        return self.logged == self.again


def replay_assignment(*, study: Study, kind: str = "person") -> Iterator[Replayed]:
    """Choose every participant's images and order once more, in the order of the log.

    Counts start at zero and follow the log's own lines; images, checks and policies are those
    of the study, which do not change after launch. Memory grows with the images, not with
    the participants.
    """
    images = StudyImage.objects.filter(study=study, role=ImageRole.RATING)
    rows = list(images.order_by("position").values_list("pk", "stratum"))
    shuffles = first_shuffles(study, kind, len(rows))
    loads = RebuiltLoads(
        stratum_of=dict(rows),
        shuffle={image: shuffle for (image, _), shuffle in zip(rows, shuffles, strict=True)},
    )
    balance = Balance(study=study, kind=kind, next_pair=0, open_pairs=[])
    given_back: set[int] = set()
    lines = Event.objects.filter(
        study=study, participant__kind=kind, kind__in=["trials_assigned", *CHANGES]
    ).select_related("participant")
    for line in lines.order_by("pk").iterator(chunk_size=200):
        if line.kind in CHANGES:
            for image in line.data["study_images"]:
                loads.assigned[image] += CHANGES[line.kind]
            changed = set(line.data["pairs"])
            given_back = given_back | changed if CHANGES[line.kind] < 0 else given_back - changed
            continue
        choice, planned = plan_participation(
            study,
            seed=line.data["seed"],
            number=line.data["number"],
            loads=loads,
            balance=balance,
            given_back=sorted(given_back),
        )
        loads.assigned.update(choice.counts())
        loads.shuffle |= choice.shuffles
        given_back -= {shown.pair for shown in choice.main if shown.pair is not None}
        yield Replayed(
            participant=line.participant.public_id if line.participant else "",
            seed=line.data["seed"],
            logged=line.data["trials"],
            again=as_logged(planned),
        )
