"""components.parts.layer: what Lambda loads fits Lambda, holds all that the handlers import, and can be built again."""

import ast
import hashlib
import os
import re
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.parts import layer
from components.parts.code_package import modules_of
from components.parts.runtime import ARCHITECTURE, RUNTIME
from tests.assertions import at_least_one

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
ENTRIES = ("handlers.serialize", "handlers.classify", "handlers.filter", "handlers.observe.handler")
IN_THE_RUNTIME = {"boto3", "botocore"}
"""What Lambda's Python runtimes bring along (Lambda Developer Guide, "Runtime-included SDK versions")."""
ELF_MACHINE = {"x86_64": 62, "arm64": 183}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("layer") / "deeper" / "layer.zip"
    assert layer.build_layer(output, ROOT / "handlers/requirements.txt") > 10_000_000
    return output


@pytest.fixture(scope="module")
def files(built: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(built) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def shared_objects(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if data.startswith(b"\x7fELF")}


def test_the_shared_objects_are_for_the_functions_architecture(files: dict[str, bytes]):
    machines = {name: struct.unpack_from("<H", data, 18)[0] for name, data in shared_objects(files).items()}
    assert len(machines) > 10
    assert set(machines.values()) == {ELF_MACHINE[ARCHITECTURE]}


def test_the_extensions_are_for_the_functions_python(files: dict[str, bytes]):
    tag = f"cpython-{RUNTIME.removeprefix('python').replace('.', '')}-"
    # what lies in *.libs is a C library that a wheel brings along, and no extension
    extensions = [name for name in shared_objects(files) if ".libs/" not in name]
    assert {name.split("/")[1] for name in extensions} >= {"PIL"}
    assert [name for name in extensions if f".{tag}" not in name and ".abi3." not in name] == []


def test_the_shared_objects_ask_for_no_newer_c_library_than_the_runtimes(files: dict[str, bytes]):
    for name, data in at_least_one(shared_objects(files).items()):
        wanted = [tuple(map(int, pair)) for pair in re.findall(rb"\0GLIBC_(\d+)\.(\d+)", data)]
        assert max(wanted, default=(0, 0)) <= layer.GLIBC, name
    assert any(b"\0GLIBC_2." in data for data in shared_objects(files).values())


def imports(module: Path) -> Iterator[str]:
    tree = ast.parse(module.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in at_least_one(ast.walk(tree)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name} imports relatively"
            yield str(node.module)


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_import_is_in_the_layer_the_runtime_or_the_archive(entry: str, files: dict[str, bytes]):
    in_the_layer = {name.split("/")[1].removesuffix(".py") for name in files}
    carried = modules_of(entry)
    for name in at_least_one({name for path in carried for name in imports(ROOT / path)}):
        top = name.partition(".")[0]
        if top in ("handlers", "contract"):
            path = name.replace(".", "/")
            assert {f"{path}.py", f"{path}/__init__.py"} & set(carried), name
        else:
            assert top in sys.stdlib_module_names or top in IN_THE_RUNTIME or top in in_the_layer, name


def pins(requirements: Path) -> dict[str, tuple[str, ...]]:
    """Hashes by `name==version`, from pip's format."""
    text = re.sub(r"#.*", "", requirements.read_text()).replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return {words[0]: tuple(word for word in words[1:] if word.startswith("--hash=")) for words in lines}


def test_the_layer_holds_the_versions_that_are_tested_here(files: dict[str, bytes]):
    layers, repositorys = pins(ROOT / "handlers/requirements.txt"), pins(ROOT / "requirements.txt")
    assert layers.items() <= repositorys.items()
    assert all(at_least_one(layers.values()))
    folders = {name.split("/")[1] for name in files if ".dist-info/" in name}
    assert folders == {f"{pin.replace('-', '_').replace('==', '-')}.dist-info" for pin in layers}


def test_building_again_gives_the_same_bytes(built: Path, tmp_path: Path):
    before = os.umask(0o077)
    try:
        layer.build_layer(tmp_path / "again.zip", ROOT / "handlers/requirements.txt")
    finally:
        os.umask(before)
    assert (tmp_path / "again.zip").read_bytes() == built.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.zip"]


def test_nothing_in_it_is_of_this_machine_or_this_hour(built: Path, files: dict[str, bytes]):
    with zipfile.ZipFile(built) as archive:
        entries = archive.infolist()
    paths = [Path(entry.filename) for entry in entries]
    assert paths == sorted(paths)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o644}
    assert all(name.startswith("python/") for name in at_least_one(files))
    assert not [name for name in files if "__pycache__" in name or name.endswith((".pyc", "/RECORD", "/INSTALLER"))]
    here = (sys.prefix.encode(), str(ROOT).encode())
    assert not [name for name, data in files.items() if any(place in data for place in here)]


def test_it_fits_lambda(built: Path, files: dict[str, bytes]):
    assert built.stat().st_size < 50 * 1024 * 1024, "the largest direct upload"
    assert sum(map(len, files.values())) < 100_000_000


@pytest.mark.parametrize("pin", [f"jmespath==1.1.0 --hash=sha256:{'0' * 64}", "jmespath==1.1.0"], ids=["other", "no"])
def test_a_package_that_is_not_the_pinned_one_stops_the_build_and_spoils_nothing(pin: str, tmp_path: Path):
    requirements, output = tmp_path / "requirements.txt", tmp_path / "layer.zip"
    requirements.write_text(f"{pin}\n")
    output.write_bytes(b"the layer before")
    with pytest.raises(layer.LayerError, match=r"(?is)pip could not install .*hashes"):
        layer.build_layer(output, requirements)
    assert output.read_bytes() == b"the layer before"


def test_the_command_says_what_it_built(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def copy(output: Path) -> int:
        output.write_bytes(built.read_bytes())
        return 25_000_000

    monkeypatch.setattr(layer, "build_layer", copy)
    assert layer.main(["--output", str(tmp_path / "l.zip")]) == 0
    digest = hashlib.sha256(built.read_bytes()).hexdigest()
    assert f"(25.0 MB unzipped), sha256 {digest}" in capsys.readouterr().out


def test_the_program_is_told_how_to_get_a_missing_layer(built: Path, tmp_path: Path):
    assert layer.require_layer(built) == built
    with pytest.raises(layer.LayerError, match=r"no Lambda layer at .*none\.zip; run: make layer"):
        layer.require_layer(tmp_path / "none.zip")
