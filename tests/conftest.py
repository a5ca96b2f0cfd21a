"""Where the tests find the shared observations."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data():
    """The folder of simulated and real observations that are not part of the repository."""
    folder = Path(os.environ.get("GMMX_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared observations at {folder}: set GMMX_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def samples():
    """The small observation that comes with the repository."""
    return ROOT / "data_samples"
