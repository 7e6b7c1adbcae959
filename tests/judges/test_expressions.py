"""Every expression of the definition, evaluated by the reference implementation of JSONata."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto.stepfunctions.parser.asl.jsonata.jsonata import extract_jsonata_variable_references

from components.parts.state_machine import FOR_A_PERSON
from tests.judges.interpreter import Ended, Fault
from tests.judges.machine import DEFINITION, FIGURES, failing, run
from tests.judges.process import JsonataError, Judge


def expressions(value: object) -> Iterator[str]:
    """What stands between `{%` and `%}` anywhere in a definition."""
    if isinstance(value, str):
        if value.startswith("{%"):
            yield value.removeprefix("{%").removesuffix("%}").strip()
    elif isinstance(value, dict):
        for item in value.values():
            yield from expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from expressions(item)


ALL = sorted(set(expressions(DEFINITION)))


@pytest.fixture(scope="module")
def ends(judge: Judge) -> list[Ended]:
    """Executions that together go every way."""
    said = str(FOR_A_PERSON[0](**FIGURES, inferences=[0.9, 0.1]))
    gone = [Fault("Gone", "gone")]
    return [
        run(judge),
        run(judge, Record=[Fault("DynamoDB.ConditionalCheckFailedException", "there is one")]),
        run(judge, Serialize=failing("InvalidImage")),
        run(judge, Serialize=[Fault("InvalidImage", "{no: json}")]),
        run(judge, given={"Records": [{"s3": {"object": {"key": "%zz"}}}]}, Serialize=failing("InvalidEvent")),
        run(judge, Filter=failing(FOR_A_PERSON[0].__name__, said)),
        run(judge, Serialize=failing("InvalidImage"), SendToReview=gone, Alert=gone),
    ]


def test_there_are_expressions_to_judge():
    assert len(ALL) > 30


@pytest.mark.parametrize("expression", ALL)
def test_every_expression_gives_a_value_on_some_path(ends: list[Ended], expression: str):
    assert any(expression in ended.evaluated for ended in ends)


@pytest.mark.parametrize("expression", ALL)
def test_no_expression_uses_what_step_functions_has_not(expression: str):
    # `$` and `$$` have no meaning in a state's expression: this raises for them
    variables = extract_jsonata_variable_references(expression)
    assert "$eval" not in variables
    # of JSONata 2.1, where Step Functions has 2.0.6
    assert "??" not in expression and "?:" not in expression


@pytest.mark.parametrize("expression", ["$eval('1')", "1 +", "$parse('{')", "$states.nothing"])
def test_the_reference_refuses_what_has_no_value(judge: Judge, expression: str):
    with pytest.raises(JsonataError):
        judge.evaluate(expression)


def test_the_reference_parses_as_step_functions_does(judge: Judge):
    assert judge.evaluate("$parse('{\"a\": [1, null]}')") == {"a": [1, None]}
