"""What a pickle says, without doing it: its opcodes are read as a description, and nothing that it names is called.

A pickle is a program for a small machine with a stack. Here the machine only builds Python's own containers; a
function or class that the pickle names stays a name, and a call of it stays a `Call`.
"""

import pickletools
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from infojax.errors import CorruptData


@dataclass(frozen=True)
class Name:
    """A function or class that the pickle names, "module name"."""

    name: str


@dataclass(frozen=True)
class Call:
    """A call that unpickling would make."""

    function: Any
    arguments: Any


@dataclass(frozen=True)
class Persistent:
    """A reference to something outside of the pickle."""

    identity: Any


_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_LITERALS = {"BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE", "SHORT_BINUNICODE", "BINFLOAT"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_ORDERED = Call(Name("collections OrderedDict"), ())


def read_pickle(file: BytesIO) -> Any:
    """The next pickle (protocols 2 and 3) of bytes, which are left behind it.

    `collections.OrderedDict()` becomes a dict; attributes that would be set on an object are left out.

    Raises:
        CorruptData: when it is truncated, or has opcodes other than those of plain containers, numbers and text.

    >>> import pickle
    >>> read_pickle(BytesIO(pickle.dumps({"a": [1, 2.5, (None, True)]}, protocol=2)))
    {'a': [1, 2.5, (None, True)]}
    >>> read_pickle(BytesIO(b"cos\\nsystem\\n(X\\x04\\x00\\x00\\x00boottR."))  # is not run
    Call(function=Name(name='os system'), arguments=('boot',))
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pickletools' of odd text
            return _built(pickletools.genops(file))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        if isinstance(error, CorruptData):
            raise
        raise CorruptData(f"the pickle is truncated or damaged ({error!r}).") from error


def _built(opcodes: Iterable[tuple[pickletools.OpcodeInfo, Any, int | None]]) -> Any:
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def since_mark() -> list[Any]:
        start = marks.pop()
        items = stack[start:]
        del stack[start:]
        return items

    argument: Any
    for opcode, argument, position in opcodes:
        match opcode.name:
            case "PROTO":
                pass
            case "STOP":
                break
            case "MARK":
                marks.append(len(stack))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                stack.append(Name(argument))
            case "BINPERSID":
                stack.append(Persistent(stack.pop()))
            case "REDUCE":
                arguments = stack.pop()
                call = Call(stack.pop(), arguments)
                stack.append({} if call == _ORDERED else call)
            case "BUILD":
                stack.pop()
            case "TUPLE":
                stack.append(tuple(since_mark()))
            case "APPENDS":
                items = since_mark()
                stack[-1].extend(items)
            case "APPEND":
                item = stack.pop()
                stack[-1].append(item)
            case "SETITEMS":
                items = since_mark()
                stack[-1].update(zip(map(_key, items[::2]), items[1::2], strict=True))
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                stack[-1][_key(key)] = value
            case name if name in _CONSTANTS:
                stack.append(_CONSTANTS[name])
            case name if name in _EMPTY:
                stack.append(_EMPTY[name]())
            case name if name in _LITERALS:
                stack.append(argument)
            case name if name in _TUPLES:
                items = tuple(stack[-_TUPLES[name] :])
                del stack[-_TUPLES[name] :]
                stack.append(items)
            case name:
                raise CorruptData(f"the pickle has the opcode {name} at byte {position}, which is not read.")
    return stack.pop()


def _key(key: Any) -> Any:
    # Hashing tuples within tuples, many thousands deep, ends the process.
    if not isinstance(key, str | int | float | None):
        raise TypeError(f"a {type(key).__name__} is a key of a dictionary")
    return key
