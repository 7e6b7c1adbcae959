"""What the local cloud can't create is an error that names it, never left out."""

import inspect
import io
import re
import zipfile

import pulumi
import pytest

import localcloud.adapters  # noqa: F401 (registers the adapters)
from contract.errors import UserError
from localcloud.adapter import ADAPTERS, adapter, pascal, tag_list, whole
from localcloud.archives import archive_files, zipped
from localcloud.cloud import Cloud
from localcloud.engine import Emulation
from localcloud.program import run_program
from localcloud.registration import Registration
from localcloud.state import StackState

TYPE = "test:index/thing:Thing"


@pytest.fixture
def engine(tmp_path, monkeypatch):
    adapters = dict(ADAPTERS)
    for module in ("adapter", "engine"):
        monkeypatch.setattr(f"localcloud.{module}.ADAPTERS", adapters)
    created = []
    cloud = Cloud(tmp_path, "dev", "us-east-1", "http://127.0.0.1:1", "http://127.0.0.1:1")
    emulation = Emulation(cloud, StackState(tmp_path / "state"), created.append)
    emulation.created = created

    @adapter(TYPE, takes=("name", "size"))
    def thing(request):
        if request.get("size") == 13:
            raise ValueError("an unlucky size")
        return request.get("name", request.auto_name), {"arn": "arn:thing"}

    return emulation


def registration(inputs, type_=TYPE, name="a"):
    return Registration(f"urn:pulumi:dev::scones::{type_}::{name}", type_, name, "", True, inputs, ())


def test_a_type_without_an_adapter_is_named(engine):
    with pytest.raises(UserError, match=re.escape("no adapter for aws:ec2/vpc:Vpc")):
        engine.create(registration({}, "aws:ec2/vpc:Vpc"))
    assert not engine.created


def test_an_input_that_the_adapter_does_not_know_is_named_with_its_resource(engine):
    with pytest.raises(
        UserError, match=re.escape(f"{TYPE}::a: the local cloud's adapter of {TYPE} does not know colour")
    ):
        engine.create(registration({"size": 1.0, "colour": "red"}))
    assert not engine.created


def test_an_input_that_an_adapter_ignores_for_a_reason_is_let_through(engine):
    adapter("test:index/safe:Safe", takes=("name",), ignores={"key": "nothing is locked here"})(lambda r: ("id", {}))
    assert engine.create(registration({"key": "k"}, "test:index/safe:Safe"))[0] == "id"


def source_of(function, seen=frozenset()):
    """A function's source, and that of the helpers of its module that it calls."""
    source, helpers = inspect.getsource(function), vars(inspect.getmodule(function))
    called = {name for name in re.findall(r"(_\w+)\(", source) if inspect.isfunction(helpers.get(name))}
    new = called - seen - {function.__name__}
    return source.partition("def ")[2] + "".join(source_of(helpers[name], seen | new) for name in sorted(new))


@pytest.mark.parametrize("kind", sorted(ADAPTERS))
def test_an_adapter_hands_on_every_input_that_it_says_it_takes(kind):
    found = ADAPTERS[kind]
    body = source_of(found.create) + (source_of(found.delete) if found.delete else "")
    if "request.inputs" not in body:
        assert not [key for key in found.takes if f'"{key}"' not in body and key != "tags"]
    assert "tags" not in found.takes or "tag" in body.lower()
    assert not found.takes & found.ignores.keys() and found.replaces <= found.takes


def test_what_is_not_deleted_is_gone_with_the_resource_that_it_is_a_setting_of():
    kept = {kind.rpartition(":")[2] for kind, each in ADAPTERS.items() if each.delete is None}
    assert kept == {"BucketVersioning", "TopicPolicy"}


def test_an_input_that_the_program_left_out_is_no_input(engine):
    assert engine.create(registration({"colour": None}))[1] == {"arn": "arn:thing"}


def test_what_an_adapter_stumbles_over_is_told_with_the_resource(engine):
    with pytest.raises(UserError, match=re.escape(f"{TYPE}::a could not be created: ValueError: an unlucky")):
        engine.create(registration({"size": 13}))


def test_names_are_made_as_the_provider_makes_them_and_stay_the_same(engine):
    first, again, other = (engine.create(registration({}, name=name))[0] for name in ("a", "a", "b"))
    assert re.fullmatch("a-[0-9a-f]{7}", first)
    assert first == again and other.split("-")[1] != first.split("-")[1]


def test_a_function_of_the_provider_without_an_answer_is_named(engine):
    with pytest.raises(UserError, match="aws:ec2/getVpc:getVpc"):
        engine.invoke("aws:ec2/getVpc:getVpc", {})


PROGRAM = """
import pulumi
class Thing(pulumi.CustomResource):
    def __init__(self, name, size):
        super().__init__("test:index/thing:Thing", name, {"size": size, "arn": None})
one = Thing("one", 1)
two = Thing("two", one.arn.apply(len))
pulumi.export("arn", two.arn)
"""


def program(tmp_path, source):
    (tmp_path / "Pulumi.yaml").write_text("name: scones\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("")
    (tmp_path / "__main__.py").write_text(source)
    return tmp_path


def test_a_program_sees_what_the_adapters_made(engine, tmp_path):
    run = run_program(program(tmp_path, PROGRAM), "dev", engine)
    assert [(each.name, each.inputs["size"]) for each in run.registrations] == [("one", 1), ("two", len("arn:thing"))]
    assert run.registrations[1].dependencies == (run.registrations[0].urn,)
    assert run.outputs == {"arn": "arn:thing"}


def test_a_program_ends_at_the_first_resource_that_can_not_be_created(engine, tmp_path):
    with pytest.raises(UserError, match="::one could not be created: ValueError: an unlucky"):
        run_program(program(tmp_path, PROGRAM.replace('"one", 1', '"one", 13')), "dev", engine)
    assert not engine.created


def test_a_resource_that_is_registered_twice_is_refused(engine, tmp_path):
    with pytest.raises(UserError, match="::one is registered twice"):
        run_program(program(tmp_path, PROGRAM.replace('"two"', '"one"')), "dev", engine)


def test_a_structure_is_spelled_as_the_api_spells_it():
    given = {"rules": [{"id": "x", "days": 7.0, "left": None, "share": 0.5}]}
    assert pascal(given, {"id": "ID"}) == {"Rules": [{"ID": "x", "Days": 7, "Share": 0.5}]}
    assert isinstance(whole(7.0), int)


def test_a_function_s_archive_is_the_same_bytes_each_time(tmp_path):
    (tmp_path / "f.py").write_text("x = 1\n")
    files = archive_files(
        pulumi.AssetArchive({"h/f.py": pulumi.FileAsset("f.py"), "a.txt": pulumi.StringAsset("é")}), tmp_path
    )
    assert files == {"h/f.py": b"x = 1\n", "a.txt": "é".encode()}
    assert zipped(files) == zipped(dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(zipped(files))) as archive:
        assert archive.read("h/f.py") == b"x = 1\n"


def test_tags_are_a_list_for_the_api():
    class Request:
        def get(self, key, default):
            return {"a": "1"}

    assert tag_list(Request()) == [{"Key": "a", "Value": "1"}]
