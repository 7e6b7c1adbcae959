"""Pickles as CIFAR's authors wrote them, with Python 2: read without trusting them, and written the same way."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

BYTE_TYPES = ("u1", "uint8", "|u1")
Content = Mapping[bytes, bytes | Sequence[int] | Sequence[bytes] | NDArray[np.uint8]]


class PickleError(ValueError):
    """A pickle that is damaged, or that holds or asks for something that the format does not need."""


def load(file: BinaryIO) -> dict[str, object]:
    """The dictionary in a pickle: lists, numbers, byte strings, texts and arrays of bytes, and nothing else.

    A pickle can call whatever it names. Here the few names that an array of bytes is made of stand for classes
    of this module, so that not even numpy's own code runs on values that were not checked.

    Args:
        file: read to the end of the pickle.

    Raises:
        PickleError: the pickle is damaged, names anything else, or is not a dictionary with text keys.
    """
    try:
        content: object = _Unpickler(file, encoding="bytes").load()
    except (PickleError, OSError):
        raise
    except EOFError as error:
        raise PickleError("it is cut off") from error
    except Exception as error:  # what damaged opcodes raise is anything from IndexError to UnicodeDecodeError
        raise PickleError(f"{type(error).__name__}: {error}") from error
    if not isinstance(content, dict):
        raise PickleError(f"expected a dictionary, got {type(content).__name__}")
    return {text(key): _plain(value) for key, value in cast("dict[object, object]", content).items()}


def text(value: object) -> str:
    """A byte string of Python 2, or a text of Python 3, as text.

    Raises:
        PickleError: it is neither.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value
    raise PickleError(f"expected a string, got {type(value).__name__}")


class _Dtype:
    """Stands for numpy.dtype, of which the format needs one: unsigned bytes."""

    def __init__(self, name: object, *_: object) -> None:
        if text(name) not in BYTE_TYPES:
            raise PickleError(f"an array must be of bytes, got type {text(name)!r}")

    def __setstate__(self, state: object) -> None:
        """Byte order, fields and alignment: nothing that single bytes have."""


class _Array:
    """Stands for numpy.ndarray until its state is there."""

    value: NDArray[np.uint8] | None = None

    def __setstate__(self, state: tuple[object, ...]) -> None:
        """The state as numpy pickles it: version, shape, dtype, whether columns come first, and the bytes."""
        _, shape, dtype, columns_first, raw = state
        if not isinstance(dtype, _Dtype) or not isinstance(raw, bytes) or not isinstance(shape, tuple):
            raise PickleError("an array's state is not shape, type and bytes")
        self.value = np.frombuffer(raw, np.uint8).reshape(
            cast("tuple[int, ...]", shape), order="F" if columns_first else "C"
        )


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _frombuffer(raw: bytes, dtype: _Dtype, shape: tuple[int, ...], order: str) -> _Array:
    array = _Array()
    array.__setstate__((1, shape, dtype, order == "F", bytes(raw)))
    return array


def _encode(characters: str, encoding: str) -> bytes:
    """How Python 3 writes bytes in protocol 2."""
    if text(encoding) not in ("latin1", "latin-1"):
        raise PickleError(f"bytes must be encoded as latin1, got {encoding!r}")
    return characters.encode("latin1")


def _empty() -> bytes:
    """How Python 3 writes empty bytes in protocol 2: a call of `bytes` without arguments."""
    return b""


ADMITTED: Mapping[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.numeric", "_frombuffer"): _frombuffer,
    ("numpy._core.numeric", "_frombuffer"): _frombuffer,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): _empty,
}


class _Unpickler(pickle._Unpickler):  # pyright: ignore[reportPrivateUsage]
    """The unpickler that is written in Python: the one in C copies each byte string, 150 MB of pixels included."""

    def _load_bytearray(self: Any) -> None:
        """A buffer, as bytes: Python's own way fills any length with zeros before it asks whether the file has it."""
        (length,) = struct.unpack("<Q", self.read(8))
        self.append(self.read(length))

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **pickle._Unpickler.dispatch,  # pyright: ignore[reportPrivateUsage]
        pickle.BYTEARRAY8[0]: _load_bytearray,
    }

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name; never the thing that has the name."""
        try:
            return ADMITTED[module, name]
        except KeyError:
            raise PickleError(f"it asks for {module}.{name}, which the format does not need") from None


def _plain(value: object) -> object:
    return value.value if isinstance(value, _Array) else value


def dump(content: Content) -> bytes:
    """A pickle with the opcodes that Python 2 used (protocol 2): byte strings are its `str`.

    Python 3's own pickle module writes bytes in another shape, which a reader of the real archive never meets.
    """
    return b"\x80\x02}(" + b"".join(_written(key) + _written(value) for key, value in content.items()) + b"u."


def _written(value: object) -> bytes:
    if isinstance(value, bytes):
        return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, np.ndarray):
        return _array(np.ascontiguousarray(value, np.uint8))
    items = cast("Sequence[object]", value)
    return b"](" + b"".join(map(_written, items)) + b"e"


def _integer(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes([value])
    return b"M" + struct.pack("<H", value) if 0 <= value < 65536 else b"J" + struct.pack("<i", value)


def _array(array: NDArray[np.uint8]) -> bytes:
    shape = b"(" + b"".join(map(_integer, array.shape)) + b"t"
    dtype = b"cnumpy\ndtype\n" + _written(b"u1") + b"K\x00K\x01\x87R(K\x03" + _written(b"|")
    dtype += b"NNN" + _integer(-1) + _integer(-1) + b"K\x00tb"
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + _written(b"b") + b"\x87R"
    raw = array.tobytes()
    return made + b"(K\x01" + shape + dtype + b"\x89T" + struct.pack("<i", len(raw)) + raw + b"tb"
