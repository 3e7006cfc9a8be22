from __future__ import annotations

from pathlib import Path

import linkage_people as people
import pytest
from linkage_index import AS_OF, Index

from linkage.duck import Limits
from linkage.model import Parameters, read_parameters
from linkage.spec import LinkageSpec, default_spec
from linkage.train import train


@pytest.fixture(scope="session")
def spec() -> LinkageSpec:
    return default_spec(accept_test_numbers=True)


@pytest.fixture(scope="session")
def parameters(tmp_path_factory: pytest.TempPathFactory, spec: LinkageSpec) -> Parameters:
    """A model trained on a made-up place, read back from the artefact as a night would."""
    root = tmp_path_factory.mktemp("training")
    people.write(people.make_place(6_000, seed=11).rows, root / "identity")
    trained = train(
        root / "identity",
        root / "models" / "parameters.json",
        spec=spec,
        version="test",
        trained_on="made-up people",
        as_of=AS_OF,
        limits=Limits("1GB", 2, "10GB", root / "tmp"),
        most_pairs=500_000,
    )
    return read_parameters(trained.model_path)


@pytest.fixture
def index(tmp_path: Path, spec: LinkageSpec, parameters: Parameters) -> Index:
    return Index(tmp_path, spec, parameters)
