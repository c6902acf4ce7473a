"""`--decoding`: greedy for comparable runs, or the endpoint's defaults."""

import pytest

from tests.miniature import Request, mini
from tests.user_checks import prepare, record, run, word


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    return prepare(pytester)


def test_with_the_decoding_of_users_no_sampling_is_sent(own: pytest.Pytester) -> None:
    """It repeats what is said only where it is told to be at its likeliest."""

    def warm(n: int, request: Request) -> str:
        return word(request) if request.get("temperature") == 0 else "Sure! " + word(request)

    assert run(own, mini(warm)).ret == pytest.ExitCode.OK
    assert record(own)["target"]["sampling"] == {"temperature": 0}
    assert run(own, mini(warm), "--decoding", "deploy").ret == pytest.ExitCode.TESTS_FAILED
    assert record(own)["target"]["sampling"] == {}
