"""What an upgrade from the last release would do: on small graphs, and on the program's own."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localcloud.adapter import ADAPTERS
from localcloud.cli import main
from localcloud.graph import graph
from localcloud.releases.comparing import Upgrade, called, compare, unnamed
from localcloud.releases.released import FOLDER, read_release, released, write_release
from localcloud.releases.replacing import JOB, REPLACING
from tests.components.dataset import write_dataset

ROOT = Path(__file__).resolve().parents[3]
STACKS = sorted(path.stem.removeprefix("graph-") for path in (ROOT / FOLDER).glob("graph-*.json"))
Entries = list[dict[str, Any]]


def files(folder: Path, seed: bytes = b"") -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    layer = folder / "layer.zip"
    layer.write_bytes(b"PK\x05\x06" + bytes(18) + seed)
    return {"datasetDir": str(write_dataset(folder / "dataset", seed=seed)), "layerPath": str(layer)}


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Entries]:
    made = files(tmp_path_factory.mktemp("upgrade"))
    return {stack: graph(ROOT, stack, made, preview=True) for stack in STACKS}


@pytest.fixture
def dev(graphs: dict[str, Entries]) -> Entries:
    """The stack that trains its own model."""
    return copy.deepcopy(graphs["dev"])


@pytest.fixture
def prod(graphs: dict[str, Entries]) -> Entries:
    return copy.deepcopy(graphs["prod"])


def changed(entries: Entries, change: Callable[[Entries], object]) -> Upgrade:
    """The upgrade from these entries to what a change makes of them."""
    before = released(entries)
    after = copy.deepcopy(entries)
    change(after)
    return compare(before, after)


def named(entries: Entries, name: str, kind: str = "") -> dict[str, Any]:
    (found,) = [each for each in entries if each["name"] == name and each["type"].endswith(kind)]
    return found


def rename(entries: Entries, old: str, new: str, kind: str, aliases: bool = False) -> None:
    """As the program would: another name, and whoever depends on it depends on the new URN."""
    entry = named(entries, old, kind)
    urn = entry["urn"]
    entry["name"], entry["urn"] = new, urn.removesuffix(old) + new
    entry["aliases"] = [urn] if aliases else []
    for each in entries:
        each["dependencies"] = [entry["urn"] if other == urn else other for other in each["dependencies"]]


def names(urns: Any) -> set[str]:
    return {called(urn) for urn in urns}


@pytest.mark.parametrize("stack", STACKS)
def test_whatever_an_upgrade_from_the_last_release_replaces_or_loses_is_named_in_the_changelog(
    graphs: dict[str, Entries], stack: str
) -> None:
    upgrade = compare(read_release(ROOT, stack), graphs[stack])
    missing = unnamed(upgrade, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert missing == [], (
        f"an upgrade of {stack} would replace or lose these: give an alias, or name each in backquotes under"
        " Unreleased in CHANGELOG.md (python -m localcloud graph --diff says why)"
    )


def test_both_stacks_have_a_release() -> None:
    assert {"dev", "prod"} <= set(STACKS)


def test_the_same_graph_changes_nothing(prod: Entries) -> None:
    upgrade = changed(prod, lambda entries: None)
    assert (upgrade.created, upgrade.replaced, upgrade.lost, upgrade.unchanged) == ((), {}, {}, len(prod))


def test_a_release_holds_nothing_of_dataset_layer_and_checkout(tmp_path: Path) -> None:
    one, other = (
        released(graph(ROOT, "dev", files(tmp_path / seed.decode(), seed), preview=True)) for seed in (b"a", b"b")
    )
    assert one == other
    assert str(tmp_path) not in json.dumps(one) and str(ROOT) not in json.dumps(one)


def test_a_name_that_is_changed_without_an_alias_is_a_loss_and_says_what_comes_instead(prod: Entries) -> None:
    upgrade = changed(prod, lambda entries: rename(entries, "workflow-decisions", "workflow-verdicts", "Table"))
    (lost,) = upgrade.lost
    assert (called(lost), called(str(upgrade.lost[lost]))) == ("workflow-decisions", "workflow-verdicts")
    assert names(upgrade.created) == {"workflow-verdicts"} and not upgrade.replaced
    assert unnamed(upgrade, "## Unreleased\n- nothing\n") == ["workflow-decisions"]


def test_a_name_that_is_changed_with_an_alias_loses_nothing(prod: Entries) -> None:
    upgrade = changed(
        prod, lambda entries: rename(entries, "workflow-decisions", "workflow-verdicts", "Table", aliases=True)
    )
    assert (upgrade.created, upgrade.replaced, upgrade.lost) == ((), {}, {})
    assert names(upgrade.renamed.values()) == {"workflow-verdicts"}


def test_an_input_that_can_be_changed_in_place_replaces_nothing(prod: Entries) -> None:
    upgrade = changed(prod, lambda entries: named(entries, "workflow-serialize")["inputs"].update(timeout=60))
    assert not upgrade.replaced and not upgrade.lost


def test_an_input_that_can_t_replaces_the_resource_and_whoever_names_it(prod: Entries) -> None:
    upgrade = changed(prod, lambda entries: named(entries, "data-bucket")["inputs"].update(bucket="photos"))
    assert upgrade.replaced[named(prod, "data-bucket")["urn"]] == ("bucket",)
    on_it = {"data-public-access", "data-versioning", "data-encryption", "data-policy", "data-lifecycle", "data-events"}
    assert on_it | {"data-bucket", "data-ownership", "model-configuration"} <= names(upgrade.replaced)
    # a function that reads from the bucket is told its new name, and a policy that allows it is rewritten
    assert not {"workflow-serialize", "workflow-serialize-policy", "workflow-decisions"} & names(upgrade.replaced)


def test_what_is_not_known_in_a_preview_may_be_what_it_was_but_not_what_was_not_there(prod: Entries) -> None:
    def unknown(name: str, key: str) -> Callable[[Entries], None]:
        return lambda entries: named(entries, name)["inputs"].update({key: "unknown"})

    assert not changed(prod, unknown("model-endpoint", "name")).replaced
    assert names(changed(prod, unknown("workflow-machine", "name")).replaced) == {"workflow-machine"}


def test_what_makes_the_model_makes_another_job_model_and_configuration_and_keeps_the_endpoint(dev: Entries) -> None:
    job = next(each for each in dev if each["type"] == JOB)

    def train_longer(entries: Entries) -> None:
        named(entries, job["name"])["inputs"]["hyperParameters"]["epochs"] = "99"

    upgrade = changed(dev, train_longer)
    assert names(upgrade.replaced) == {"model-job", "model-model", "model-configuration"}


def test_another_dataset_is_no_news_for_a_release(dev: Entries) -> None:
    job = next(each for each in dev if each["type"] == JOB)

    def more_photos(entries: Entries) -> None:
        named(entries, job["name"])["inputs"]["hyperParameters"]["num_training_samples"] = "4000"

    assert not changed(dev, more_photos).replaced


def test_a_resource_that_is_gone_is_lost_and_a_new_one_created(prod: Entries) -> None:
    dashboard = named(prod, "observability-dashboard")
    assert names(changed(prod, lambda entries: entries.remove(dashboard)).lost) == {"observability-dashboard"}
    without = [each for each in prod if each is not dashboard]
    assert names(compare(released(without), prod).created) == {"observability-dashboard"}


@pytest.mark.parametrize(
    ("changelog", "expected"),
    [
        ("## Unreleased\n- `workflow-decisions` is replaced.\n## 0.1.0\n", []),
        ("## Unreleased\n- The table workflow-decisions.\n", ["workflow-decisions"]),
        ("## Unreleased\n- `workflow-decisions-2`\n", ["workflow-decisions"]),
        ("## Unreleased\n\n## 0.1.0\n- `workflow-decisions`\n", ["workflow-decisions"]),
        ("", ["workflow-decisions"]),
    ],
)
def test_only_the_unreleased_section_names_a_harm_and_only_by_its_whole_name(
    changelog: str, expected: list[str]
) -> None:
    urn = "urn:pulumi:dev::scones::aws:dynamodb/table:Table::workflow-decisions"
    assert unnamed(Upgrade((), {urn: ("hashKey",)}, {}), changelog) == expected


def test_a_release_is_read_as_it_was_written_a_line_a_resource(tmp_path: Path, prod: Entries) -> None:
    path = write_release(tmp_path, "prod", "0.2.0", released(prod))
    assert read_release(tmp_path, "prod") == released(prod)
    assert json.loads(path.read_text())["version"] == "0.2.0"
    assert len(path.read_text().splitlines()) == len(prod) + 6


def test_the_table_knows_every_type_that_the_program_registers(graphs: dict[str, Entries]) -> None:
    types = {each["type"] for entries in graphs.values() for each in entries if each["custom"]}
    assert types <= set(REPLACING)


def test_the_local_cloud_replaces_what_the_table_replaces(graphs: dict[str, Entries]) -> None:
    import localcloud.adapters  # noqa: F401  # pyright: ignore[reportUnusedImport]

    for type_, adapter in ADAPTERS.items():
        if adapter.update is not None:
            forced = set(REPLACING[type_]) & (adapter.takes | adapter.ignores.keys())
            assert forced <= adapter.replaces, type_


def test_the_command_shows_the_upgrade_and_writes_a_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    made = files(tmp_path / "files")
    settings = [word for key, value in made.items() for word in ("--config", f"{key}={value}")]
    monkeypatch.chdir(root)
    assert main(["graph", "--diff", *settings]) == 2
    assert "releases/graph-dev.json is not there" in capsys.readouterr().err
    (root / "pyproject.toml").write_text('[project]\nversion = "0.9.0"\n')
    try:
        assert main(["graph", "--release", *settings]) == 0
        assert "0.9.0" in capsys.readouterr().out
        assert main(["graph", "--diff", "--json", *settings]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["created"], said["replaced"], said["lost"], said["unnamed"]) == ([], {}, {}, [])
        assert main(["graph", "--diff", *settings, "--config", "endpointInstanceType=ml.c5.large"]) == 0
        out = capsys.readouterr().out
        assert "1 to replace" in out and "model-configuration\treplace" in out
        assert "not named in CHANGELOG.md: model-configuration" in out
    finally:
        (root / "pyproject.toml").unlink()
