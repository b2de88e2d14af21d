"""What novelty is measured with, once for each data set."""

from functools import lru_cache
from typing import Any

from scanning.experiments.making import training_data
from scanning.experiments.measures import derived_seed
from scanning.experiments.store import Store


def judges_of(store: Store, data: str) -> Any:
    """A classifier where there are labels, and principal components; no model's seed enters,
    and no image of a test."""
    return _judges(_Key(store, data))


class _Key:
    """A store and a data set that hash by what the judges depend on."""

    def __init__(self, store: Store, data: str) -> None:
        self.store = store
        self.data = data
        sizes = store.sizes
        self._is = (
            data,
            store.sources[data]["sha256"],
            sizes["n_train"],
            sizes["picture_size"],
            sizes["classifier_epochs"],
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._is == other._is

    def __hash__(self) -> int:
        return hash(self._is)


@lru_cache(maxsize=1)
def _judges(key: _Key) -> Any:
    from scanning.generative import Judges, PrincipalComponents, train_classifier

    data = training_data(key.store, key.data)
    seed = derived_seed(key.data, "components")
    components = PrincipalComponents.fit(data.images, 64, seed=seed)
    if data.labels is None:
        return Judges(components, None, components.features(data.images))
    classifier = train_classifier(
        data.images,
        data.labels,
        epochs=key.store.sizes["classifier_epochs"],
        seed=derived_seed(key.data, "classifier"),
    )
    return Judges(components, classifier, classifier.features(data.images))
