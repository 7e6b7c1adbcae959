import pytest

from tests.localcloud.local_stack import write_root


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    return write_root(tmp_path_factory.mktemp("root"))
