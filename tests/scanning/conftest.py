"""One tiny trained model for all tests that need one."""

import pytest


@pytest.fixture(scope="session")
def digits_and_garments():
    from scanning.generative import load_combo

    images = load_combo().images
    return images[[*range(200), *range(5_000, 5_200)]]


@pytest.fixture(scope="session")
def trained(digits_and_garments):
    from scanning.generative import TrainingConfig, train_vae

    return train_vae(digits_and_garments, TrainingConfig(epochs=2, batch_size=64, seed=5))
