"""Messages through a pipe: eight bytes that say how long one is, then the message.

>>> import io
>>> pipe = io.BytesIO()
>>> send(pipe, b"a unit"); _ = pipe.seek(0)
>>> receive(pipe)
b'a unit'
"""

from io import BufferedIOBase

# The first word of an answer: something is told, or the call has ended, with an error or None.
TOLD, ENDED = "told", "ended"


def send(pipe: BufferedIOBase, message: bytes) -> None:
    """Write a message."""
    pipe.write(len(message).to_bytes(8, "big") + message)
    pipe.flush()


def receive(pipe: BufferedIOBase) -> bytes:
    """Read a message. Raises EOFError when the other side is gone before it was whole."""
    length = int.from_bytes(_exactly(pipe, 8), "big")
    return _exactly(pipe, length)


def _exactly(pipe: BufferedIOBase, count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data
