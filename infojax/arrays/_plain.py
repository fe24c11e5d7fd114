"""What was given as an array, as an array of NumPy: nothing that is missing is filled in, and nothing is guessed.

`np.asarray` takes the values under a mask for good ones, makes one object of a generator or of a sparse matrix, and
one object of each number among None; each of these is refused here, or read as what it is.
"""

from collections import deque
from collections.abc import Iterator, KeysView, Mapping, Set, ValuesView
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np

from infojax.errors import InvalidInput

_REMEDIES = {
    "c": "give its real part, or real and imaginary part as columns of their own",
    "M": "count from one of the dates: (a - a.min()) / np.timedelta64(1, 's')",
    "m": "count in a unit: a / np.timedelta64(1, 's')",
    "U": "text is no number: a.astype(float) where it spells numbers",
    "S": "text is no number: a.astype(float) where it spells numbers",
    "V": "put the fields of a record side by side: np.stack([a[name] for name in a.dtype.names], axis=-1)",
}


def plain_array(name: str, values: Any) -> np.ndarray:
    """As an array of numbers, text or dates in native byte order, in the dtype that it has.

    Lists, tuples, generators, views of dictionaries, arrays of JAX, data frames and series are read. An array of
    objects becomes one of numbers or text, where all objects are that.

    Raises:
        InvalidInput: a masked or missing value, a sparse matrix, a dictionary or a set, an array that is traced, lists
            of several lengths, and objects that are neither numbers nor text.

    >>> plain_array("x", (i / 2 for i in range(3)))
    array([0. , 0.5, 1. ])
    """
    if isinstance(values, Iterator | KeysView | ValuesView | deque):
        values = list(values)
    if isinstance(values, Mapping | Set):
        kind = type(values).__name__
        raise InvalidInput(f"{name} is a {kind}, which has no order of rows; give an array or a list.")
    if hasattr(values, "toarray"):
        raise InvalidInput(f"{name} is sparse ({type(values).__name__}); give {name.split(' ')[-1]}.toarray().")
    _refuse_masked(name, values)
    try:
        array = np.asarray(values)
    except Exception as error:  # each library has its own, for tensors on a device, keys, rows of several lengths
        raise InvalidInput(f"{name} is no array that NumPy can read{_remedy(values, error)}.") from error
    if array.dtype.kind == "U" and isinstance(values, list | tuple):
        array = np.asarray(values, object)  # NumPy spells out numbers and NaN among text
    if array.dtype.kind == "O":
        array = _from_objects(name, array)
    return array if array.dtype.isnative or array.dtype.kind == "V" else array.astype(array.dtype.newbyteorder("="))


def is_real(array: np.ndarray) -> bool:
    """Whether it holds real numbers, booleans among them."""
    # bfloat16 and the like are registered with NumPy (2), under the letter of structures.
    return array.dtype.kind in "buif" or array.dtype.isbuiltin == 2


def require_real(name: str, array: np.ndarray) -> None:
    """Raises `InvalidInput` for text, dates, complex numbers and records, with what to do about each."""
    if not is_real(array):
        remedy = _REMEDIES.get(array.dtype.kind, "give an array or a list of one shape")
        raise InvalidInput(f"{name} is of dtype {array.dtype}, and needs real numbers; {remedy}.")


def text(name: str, array: np.ndarray) -> np.ndarray:
    """Bytes as the text that they spell in UTF-8; other arrays as they are."""
    if array.dtype.kind != "S":
        return array
    try:
        return np.array([each.decode() for each in array.ravel().tolist()], np.str_).reshape(array.shape)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} holds bytes that are no UTF-8 ({error}); decode them first.") from error


def _refuse_masked(name: str, values: Any) -> None:
    if isinstance(values, np.ma.MaskedArray):
        masked: Any = np.ma.getmaskarray(values)
        if masked.dtype.names is not None:  # of records, whose fields are masked
            masked = np.any([masked[field] for field in masked.dtype.names], axis=0)
        if masked.any():
            first = np.argwhere(masked)[0].tolist()
            raise InvalidInput(
                f"{name} has {masked.sum()} masked of {masked.size} entries, the first at {first}; what lies under a "
                "mask is no value. Leave those examples out, or fill the entries in: .filled(value)."
            )
    elif isinstance(values, list | tuple):
        for each in values:
            if isinstance(each, list | tuple | np.ma.MaskedArray):
                _refuse_masked(name, each)


def _remedy(values: Any, error: Exception) -> str:
    if type(error).__name__ == "TracerArrayConversionError":
        return ": it is traced by jax.jit, vmap or grad; call this outside of them"
    if hasattr(values, "detach"):
        return f" ({error}); give tensor.detach().cpu().float().numpy()"
    if isinstance(error, ValueError) and isinstance(values, list | tuple):
        return ", as its rows differ in shape; give rows of one length"
    return f" ({str(error).splitlines()[0] if str(error) else type(error).__name__}); give an array of NumPy"


def _from_objects(name: str, array: np.ndarray) -> np.ndarray:
    """Numbers or text out of an array of objects."""
    flat = array.ravel().tolist()
    # An array of arrays may hold masked ones.
    for each in flat:
        _refuse_masked(name, each)
    gone = next((i for i, each in enumerate(flat) if missing(each)), None)
    if array.ndim and gone is not None:
        at = [int(i) for i in np.unravel_index(gone, array.shape)]
        raise InvalidInput(
            f"{name} has a missing value at {at}, {flat[gone]!r}, in an array of dtype object; leave that example out, "
            "or fill the value in."
        )
    if not flat or array.ndim == 0:
        kind = "an empty array of objects" if array.ndim else f"a {type(flat[0]).__name__}"
        raise InvalidInput(f"{name} is {kind} (dtype object); give an array or a list of one shape.")
    for kind, dtype in (((bool, np.bool_), np.bool_), (str, np.str_), (bytes, np.bytes_)):
        if all(isinstance(each, kind) for each in flat):
            return array.astype(dtype)
    if all(isinstance(each, Integral | np.bool_) for each in flat):
        return _integers(name, array, [int(each) for each in flat])
    number = Real | Decimal | Fraction | np.bool_
    odd = next((i for i, each in enumerate(flat) if not isinstance(each, number)), None)
    if odd is None:
        return np.array([float(each) for each in flat]).reshape(array.shape)
    raise InvalidInput(
        f"{name} holds {flat[odd]!r:.40} ({type(flat[odd]).__name__}) among others, in an array of dtype object; give "
        "real numbers alone (or text alone where names are asked for), in an array or a list of one shape."
    )


def _integers(name: str, array: np.ndarray, values: list[int]) -> np.ndarray:
    for dtype in (np.int64, np.uint64):
        if np.iinfo(dtype).min <= min(values) and max(values) <= np.iinfo(dtype).max:
            return np.array(values, dtype).reshape(array.shape)
    if any(abs(value) > 2**1000 or int(float(value)) != value for value in values):
        raise InvalidInput(f"{name} has integers of more than 64 bits, up to {max(values)!s:.40}; subtract the least.")
    return np.array(values, np.float64).reshape(array.shape)


def missing(value: Any) -> bool:
    """Whether it stands for a value that is not there: None, NaN, and those of pandas and of masked arrays."""
    if value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value
