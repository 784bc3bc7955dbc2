"""Every operation of the API keeps what its description promises, whatever it is asked."""

from __future__ import annotations

import pytest
from schemathesis import GenerationMode

from fuzz.contract import ask, operations

EXAMPLES = 5


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_answer_breaks_the_contract(site: str, mode: GenerationMode) -> None:
    asked = [ask(operation, EXAMPLES, mode) for operation in operations(site)]

    assert sum(asked) >= 8
