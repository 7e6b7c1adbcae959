"""No assertion can be skipped by an empty loop.

An `assert` in a `for`, and `all(...)` in an `assert`, need something to go through: a literal, a constant of the
module, what `at_least_one` hands on, or what another assertion of the same function says is not empty. Laws (`@given`)
are left out: an empty example is one of many.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assertions import at_least_one

TESTS = Path(__file__).parent
PASSED_ON = {"enumerate", "list", "map", "pairwise", "product", "reversed", "set", "sorted", "tuple", "zip"}
"""Functions whose result is empty only when an argument is."""
PARTS = {"items", "keys", "split", "splitlines", "values"}


def has_some(node: ast.expr, said: set[str]) -> bool:
    """Whether an expression can't be empty; `said` are those that an assertion is about."""
    if ast.unparse(node) in said:
        return True
    match node:
        case ast.Tuple(elts) | ast.List(elts) | ast.Set(elts):
            return any(not isinstance(each, ast.Starred) or has_some(each.value, said) for each in elts)
        case ast.Constant(value):
            return bool(value)
        case ast.Dict(keys):
            return bool(keys)
        case ast.Name(name) | ast.Attribute(attr=name) if name.isupper():
            return True
        case ast.Subscript(value):
            return has_some(value, said)
        case ast.BinOp(left, ast.Add() | ast.BitOr(), right):
            return has_some(left, said) or has_some(right, said)
        case ast.Call(ast.Name("at_least_one")):
            return True
        case ast.Call(ast.Name("range"), arguments):
            return all(isinstance(each, ast.Constant | ast.UnaryOp) for each in arguments)
        case ast.Call(ast.Name(name) | ast.Attribute(attr=name), arguments) if name in PASSED_ON:
            return bool(arguments) and all(
                (name == "map" and each is arguments[0]) or has_some(each, said) for each in arguments
            )
        case ast.Call(ast.Attribute(value, name)) if name in PARTS:
            return has_some(value, said)
        case ast.GeneratorExp(generators=parts) | ast.ListComp(generators=parts) | ast.SetComp(generators=parts):
            return all(has_some(each.iter, said) and not each.ifs for each in parts)
    return False


def told(test: ast.expr) -> Iterator[str]:
    """The expressions that an assertion says are not empty: `x`, `len(x) > 3`, `len(x) == 2`, and several of these."""
    match test:
        case ast.BoolOp(ast.And(), parts):
            for each in parts:
                yield from told(each)
        case ast.Compare(left, [ast.Gt() | ast.GtE() | ast.Eq(), *_], rest):
            for each in (left, *rest):
                if isinstance(each, ast.Call) and ast.unparse(each.func) == "len":
                    yield ast.unparse(each.args[0])
        case ast.Name() | ast.Attribute() | ast.Call() | ast.Subscript():
            yield ast.unparse(test)


def skippable(source: str) -> list[ast.expr]:
    """What is gone through by an assertion in `source` and may be empty."""
    found: list[ast.expr] = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef) or any("given" in ast.unparse(e) for e in function.decorator_list):
            continue
        asserts = [node for node in ast.walk(function) if isinstance(node, ast.Assert)]
        said = {name for node in asserts for name in told(node.test)}
        loops = [node.iter for node in ast.walk(function) if isinstance(node, ast.For)
                 and any(isinstance(inner, ast.Assert) for inner in ast.walk(node))]  # fmt: skip
        for call in (inner for node in asserts for inner in ast.walk(node.test)):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "all":
                argument = call.args[0]
                parts = getattr(argument, "generators", None)
                loops += [each.iter for each in parts] if parts else [argument]
        found += [each for each in loops if not has_some(each, said)]
    return found


@pytest.mark.parametrize("path", sorted(TESTS.rglob("test_*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_no_assertion_is_skipped_by_an_empty_loop(path: Path):
    places = [f"line {each.lineno}: {ast.unparse(each)}" for each in skippable(path.read_text(encoding="utf-8"))]
    assert places == [], "wrap it in at_least_one(...) of tests.assertions"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("for x in f(): assert x", ["f()"]),
        ("assert all(x for x in f())", ["f()"]),
        ("for x in a.values():\n  for y in x: assert y", ["a.values()", "x"]),
        ("for x in at_least_one(f()): assert x", []),
        ("for x in (1, 2): assert x", []),
        ("for x in ALL.items(): assert x", []),
        ("assert len(a) > 2\n for x in enumerate(a): assert x", []),
        ("assert a and all(x for x in a)", []),
        ("assert not a\n for x in a: assert x", ["a"]),
        ("for x in f(): print(x)", []),
    ],
)
def test_what_may_be_empty_is_found_and_what_may_not_is_let_through(body: str, found: list[str]):
    lines = body.replace("\n ", "\n  ")
    assert [ast.unparse(each) for each in skippable(f"def test():\n  {lines}\n")] == found


def test_there_must_be_one_where_at_least_one_is_asked_for():
    assert at_least_one(iter("ab")) == ["a", "b"]
    with pytest.raises(AssertionError, match="there are none"):
        at_least_one([])
