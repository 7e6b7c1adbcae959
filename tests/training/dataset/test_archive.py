"""Reading an archive that nobody trusts: what is admitted, what is refused, and in which words."""

import contextlib
import gzip
import hashlib
import http.server
import io
import os
import pickle
import socket
import tarfile
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from contract.errors import UserError
from tests.training.builders import build_archive, meta, pack, part, rows
from training.dataset.archive import BLOCK, LARGEST_MEMBER, Archive, ArchiveError, Contents
from training.dataset.download import download
from training.dataset.pickles import PickleError, dump, load

NAMES = ("apple", "pear")
OLD, NEW = b"numpy.core.multiarray", b"numpy._core.multiarray"


def packed(path: Path, **changes: object) -> Path:
    """An archive of two classes, four images to train and two to test, with these members or parts changed."""
    members: dict[str, object] = {
        "meta": meta(*NAMES),
        "test": part(rows(2, 1), [0, 1]),
        "train": part(rows(4, 2), [0, 1, 1, 0]),
    }
    return pack(path, **{**members, **changes})


def read(path: Path) -> Contents:
    return Archive(path).read()


def refusal(path: Path) -> str:
    """The one line that the person sees."""
    with pytest.raises(UserError) as caught:
        read(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    return str(caught.value)


# what is admitted


def test_pixels_labels_and_names_come_as_they_were_pickled(tmp_path: Path) -> None:
    contents = read(packed(tmp_path / "a.tar.gz"))
    assert contents.class_names == NAMES
    assert np.array_equal(contents.train.pixels, rows(4, 2)) and np.array_equal(contents.test.pixels, rows(2, 1))
    assert contents.train.labels.tolist() == [0, 1, 1, 0]
    assert contents.train.filenames[0] == "image_00000.png"


@pytest.mark.parametrize("module", [OLD, NEW], ids=["numpy 1", "numpy 2"])
def test_an_array_is_read_under_numpy_s_old_and_new_module_names(module: bytes) -> None:
    data = pickle.dumps({b"data": rows(2)}, protocol=2).replace(NEW, OLD).replace(OLD, module)
    assert module in data
    assert np.array_equal(load(io.BytesIO(data))["data"], rows(2))  # type: ignore[arg-type]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_python_3_is_read(protocol: int) -> None:
    content = {b"data": rows(2), b"fine_labels": [0, 70_000], b"filenames": [b"a\xff.png", b"b" * 300, b""]}
    loaded = load(io.BytesIO(pickle.dumps(content, protocol)))
    assert np.array_equal(loaded.pop("data"), rows(2))  # type: ignore[arg-type]
    assert loaded == {"fine_labels": [0, 70_000], "filenames": [b"a\xff.png", b"b" * 300, b""]}


def test_an_array_whose_columns_come_first_keeps_its_rows() -> None:
    data = pickle.dumps({"data": np.asfortranarray(rows(3))}, protocol=2)
    assert np.array_equal(load(io.BytesIO(data))["data"], rows(3))  # type: ignore[arg-type]


def test_a_text_pickle_of_python_2_is_read() -> None:
    by_hand = b"(dp0\nS'fine_label_names'\np1\n(lp2\nS'apple'\np3\naS'pe\\xe1r'\np4\nasS'n'\np5\nI42\ns."
    assert load(io.BytesIO(by_hand)) == {"fine_label_names": [b"apple", b"pe\xe1r"], "n": 42}


def test_a_binary_pickle_of_python_2_is_read() -> None:
    by_hand = b"\x80\x02}q\x01(U\x10fine_label_namesq\x02]q\x03(U\x05appleq\x04U\x04pearq\x05eU\x01nK*u."
    assert load(io.BytesIO(by_hand)) == {"fine_label_names": [b"apple", b"pear"], "n": 42}


def test_what_dump_writes_python_s_own_unpickler_reads_the_same() -> None:
    content = {b"data": rows(3), b"fine_labels": [0, 255, 256, 65_536], b"filenames": [b"x", b"y" * 256], b"l": b"z"}
    loaded = pickle.loads(dump(content), encoding="bytes")
    assert np.array_equal(loaded.pop(b"data"), rows(3))
    assert loaded == {key: value for key, value in content.items() if key != b"data"}


def test_what_dump_writes_has_no_name_that_python_2_or_an_old_numpy_lacks() -> None:
    written = dump({b"data": rows(1), b"filenames": [b"x"]})
    assert b"_codecs" not in written and b"_core" not in written


def test_an_unpacked_folder_reads_like_the_archive_it_came_from(tmp_path: Path) -> None:
    archive = build_archive(tmp_path / "a.tar.gz", train_per_class=2, test_per_class=1)
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    packed_up, unpacked = read(archive), read(tmp_path / "cifar-100-python")
    assert np.array_equal(packed_up.train.pixels, unpacked.train.pixels)
    assert packed_up.sha256 == unpacked.sha256 and set(unpacked.sha256) == {"meta", "train", "test"}


# a pickle that would run something


class Calls:
    """Pickles as a call of anything."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[object, ...]:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    ("function", "name"),
    [(os.system, "system"), (eval, "eval"), (getattr, "getattr"), (np.load, "load"), (io.open, "open")],
    ids=["os.system", "eval", "getattr", "numpy.load", "open"],
)
def test_a_pickle_that_calls_something_is_refused_before_it_is_called(
    tmp_path: Path, function: object, name: str, protocol: int
) -> None:
    canary = tmp_path / "canary"
    data = pickle.dumps({b"data": Calls(function, f"touch {canary}")}, protocol)
    with pytest.raises(PickleError, match=rf"asks for .*\.{name}, which the format does not need"):
        load(io.BytesIO(data))
    assert not canary.exists()


def test_the_archive_s_refusal_names_the_member_and_what_it_asked_for(tmp_path: Path) -> None:
    evil = packed(tmp_path / "a.tar.gz", train={b"data": Calls(os.system, f"touch {tmp_path / 'canary'}")})
    message = refusal(evil)
    assert "train can't be read: it asks for" in message and ".system" in message
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "name", ["numpy\nndarray.tofile", "numpy.core.multiarray\nfromfile", "numpy\nmemmap", "builtins\nexec"]
)
def test_no_other_name_of_an_admitted_module_gets_in(name: str) -> None:
    module, attribute = name.split("\n")
    for data in (
        f"c{name}\n.".encode(),
        b"\x80\x04\x8c%c%b\x8c%c%b\x93." % (len(module), module.encode(), len(attribute), attribute.encode()),
    ):
        with pytest.raises(PickleError, match="asks for"):
            load(io.BytesIO(data))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({b"data": np.zeros(3, object)}, "of bytes"),
        ({b"data": np.zeros(3, np.float32)}, "of bytes, got type 'f4'"),
        ([1, 2], "expected a dictionary, got list"),
        ({1: 2}, "expected a string, got int"),
    ],
    ids=["objects", "floats", "a list", "a number as key"],
)
def test_what_is_not_of_the_format_is_refused(content: object, reason: str) -> None:
    with pytest.raises(PickleError, match=reason):
        load(io.BytesIO(pickle.dumps(content, protocol=2)))


def test_a_pickle_cut_off_at_any_byte_is_refused_and_never_crashes() -> None:
    whole = dump({b"data": rows(1)[:, :12], b"fine_labels": [7], b"filenames": [b"a.png"]})
    for end in range(len(whole)):
        with pytest.raises(PickleError):
            load(io.BytesIO(whole[:end]))


@pytest.mark.parametrize(
    "state", [b"NR.", b"}b.", b"(K\x01K\x02tb.", b"(K\x01)U\x02u1\x89U\x00tb."], ids=["call", "dict", "short", "dtype"]
)
def test_an_array_with_an_impossible_state_is_refused(state: bytes) -> None:
    array = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    with pytest.raises(PickleError):
        load(io.BytesIO(array + state))


def test_empty_bytes_are_the_one_call_of_bytes_that_is_admitted() -> None:
    assert load(io.BytesIO(pickle.dumps({b"a": b""}, protocol=2))) == {"a": b""}
    with pytest.raises(PickleError):
        load(io.BytesIO(b"\x80\x02c__builtin__\nbytes\nJ\xff\xff\xff\x7f\x85R."))


# an archive that is damaged or is another thing


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.tar.gz") == f"there is no file {tmp_path / 'none.tar.gz'}"


def test_a_file_that_is_no_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_text("<html>not found</html>")
    assert "not a CIFAR-100 python archive: it is damaged" in refusal(path)


def test_a_gzip_that_is_no_tar_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(b"x" * 2000))
    assert "not a CIFAR-100 python archive" in refusal(path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.95, 0.9999])
def test_an_archive_that_is_cut_off_anywhere_is_refused(tmp_path: Path, share: float) -> None:
    path = packed(tmp_path / "a.tar.gz")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert "not a CIFAR-100 python archive" in refusal(path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_an_archive_with_a_flipped_byte_is_refused(tmp_path: Path, share: float) -> None:
    path = packed(tmp_path / "a.tar.gz")
    data = bytearray(path.read_bytes())
    data[int(len(data) * share)] ^= 0xFF
    path.write_bytes(data)
    assert "not a CIFAR-100 python archive" in refusal(path)


def test_a_wrong_checksum_at_the_very_end_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar.gz")
    data = bytearray(path.read_bytes())
    data[-8] ^= 1
    path.write_bytes(data)
    assert "CRC" in refusal(path)


@pytest.mark.parametrize("member", ["meta", "train", "test"])
def test_a_missing_member_is_named(tmp_path: Path, member: str) -> None:
    members = {"meta": meta(*NAMES), "test": part(rows(2), [0, 1]), "train": part(rows(2), [0, 1])}
    del members[member]
    assert refusal(pack(tmp_path / "a.tar.gz", **members)).endswith(f"it has no cifar-100-python/{member}")


def test_a_folder_without_a_member_is_refused(tmp_path: Path) -> None:
    (tmp_path / "meta").write_bytes(dump({b"fine_label_names": [b"apple"]}))
    with pytest.raises(ArchiveError, match=f"there is no file {tmp_path / 'train'}"):
        read(tmp_path)


def test_a_member_that_claims_a_gigabyte_is_refused_unread(tmp_path: Path) -> None:
    path, info = tmp_path / "a.tar.gz", tarfile.TarInfo("cifar-100-python/train")
    info.size = LARGEST_MEMBER + 1
    path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096)))
    assert "train must hold at most" in refusal(path)


def test_the_pixels_are_in_memory_once(tmp_path: Path) -> None:
    count = 4000
    pixels = rows(count)
    train = dump({b"data": pixels, b"fine_labels": [0] * count, b"filenames": [b"a.png"] * count})
    path = packed(tmp_path / "a.tar.gz", train=train)
    tracemalloc.start()
    try:
        read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert pixels.nbytes <= peak < 1.3 * pixels.nbytes + 4 * BLOCK


def test_a_buffer_that_claims_more_than_there_is_takes_no_memory() -> None:
    claimed = b"\x80\x05\x96" + (1 << 32).to_bytes(8, "little") + b"few"
    tracemalloc.start()
    try:
        with pytest.raises(PickleError):
            load(io.BytesIO(claimed))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < BLOCK


def test_a_link_in_the_archive_s_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo("cifar-100-python/meta")
        info.type, info.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        tar.addfile(info)
    assert "not a CIFAR-100 python archive" in refusal(path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"meta": {b"coarse_label_names": [b"fruit"]}}, "meta: fine_label_names must be a list of names"),
        ({"meta": {b"fine_label_names": b"apple"}}, "meta: fine_label_names must be a list of names"),
        (
            {"train": part(rows(4)[:, :3071], [0] * 4)},
            r"train: data must have 3072 bytes a row, got the shape (4, 3071)",
        ),
        ({"train": part(rows(4).reshape(4, 3, 32, 32), [0] * 4)}, "got the shape (4, 3, 32, 32)"),
        ({"train": part(b"bytes", [0] * 5)}, "train: data must be an array of bytes"),
        ({"test": part(rows(2), [0])}, "test: fine_labels must be a list of 2, one a row"),
        ({"test": part(rows(2), [0, 1], [b"a"])}, "test: filenames must be a list of 2, one a row"),
        ({"test": part(rows(2), [0, 2])}, "test: fine_labels must be whole numbers from 0 to 1"),
        ({"test": part(rows(2), [0, -1])}, "test: fine_labels must be whole numbers from 0 to 1"),
        ({"test": part(rows(2), [0, 0.5])}, "test: fine_labels must be whole numbers from 0 to 1"),
        ({"test": part(rows(2), [0, 1], [b"a", 7])}, "test: filenames must be strings"),
        ({"test": {b"data": rows(2), b"labels": [0, 1]}}, "test: fine_labels must be a list of 2, one a row"),
    ],
)
def test_a_part_of_another_shape_is_refused_in_words_that_say_which(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    assert reason in refusal(packed(tmp_path / "a.tar.gz", **changes))


# fetching it

BODY = bytes(range(256)) * 8192
DIGEST = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def server() -> Iterator[str]:
    """Answers /good with the body, /long with one that goes on, /short with one that is cut off."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = {"/good": BODY, "/long": BODY * 4, "/short": BODY}.get(self.path)
            self.send_response(200 if body else 404)
            if body:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write((body or b"")[: 1000 if self.path == "/short" else None])

        def log_message(self, format: str, *args: object) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # the client had enough
                super().handle()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def fetch(target: Path, url: str, sha256: str = DIGEST) -> list[int]:
    seen: list[int] = []
    download(target, seen.append, url=url, sha256=sha256, size=len(BODY))
    return seen


def test_a_download_is_whole_and_told_as_it_grows(tmp_path: Path, server: str) -> None:
    seen = fetch(tmp_path / "new" / "a.tar.gz", f"{server}/good")
    assert (tmp_path / "new" / "a.tar.gz").read_bytes() == BODY
    assert seen == sorted(seen) and seen[-1] == len(BODY) and len(seen) > 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.tar.gz"]


def test_what_is_there_already_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(BODY)
    assert fetch(tmp_path / "a.tar.gz", "http://127.0.0.1:1/good") == []


def test_what_is_there_with_other_bytes_is_replaced(tmp_path: Path, server: str) -> None:
    (tmp_path / "a.tar.gz").write_bytes(bytes(len(BODY)))
    fetch(tmp_path / "a.tar.gz", f"{server}/good")
    assert (tmp_path / "a.tar.gz").read_bytes() == BODY


@pytest.mark.parametrize(
    ("path", "sha256", "reason"),
    [
        ("good", "0" * 64, f"with SHA-256 {DIGEST}; expected"),
        ("long", DIGEST, f"gave more than {len(BODY):,} bytes"),
        ("short", DIGEST, "1,000"),
        ("none", DIGEST, "404"),
    ],
    ids=["another checksum", "too long", "cut off", "not found"],
)
def test_a_download_that_goes_wrong_says_so_and_leaves_nothing(
    tmp_path: Path, server: str, path: str, sha256: str, reason: str
) -> None:
    with pytest.raises(ArchiveError) as caught:
        fetch(tmp_path / "a.tar.gz", f"{server}/{path}", sha256)
    assert reason in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_goes_on_for_ever_is_not_read_for_ever(tmp_path: Path, server: str) -> None:
    seen: list[int] = []
    with pytest.raises(ArchiveError):
        download(tmp_path / "a", seen.append, url=f"{server}/long", sha256=DIGEST, size=1000)
    assert len(seen) == 1


def test_a_server_that_is_gone_is_told_with_the_way_around_it(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ArchiveError, match=r"could not be downloaded: .*; give --archive PATH instead"):
        fetch(tmp_path / "a.tar.gz", f"http://127.0.0.1:{port}/good")
    assert list(tmp_path.iterdir()) == []
