"""Folders of pictures, made of their names."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

_SEEDS = count()


def noise(*shape: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(next(_SEEDS)).integers(0, 256, shape or (4, 4), np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """folder("a/0.png", "b/0.png") makes these pictures, of noise unless `make` makes another, and returns the folder.

    Content is written as it is where it is given: folder(**{"a/x.txt": b"…"}).
    """

    def made(*names: str, make: Callable[[], Image.Image] = noise, **contents: bytes | str) -> Path:
        root = tmp_path / "photos"
        root.mkdir(exist_ok=True)
        for name in (*names, *contents):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
        for name in names:
            suffix = Path(name).suffix.lower()
            form = {".png": "PNG", ".gif": "GIF", ".webp": "WEBP", ".tif": "TIFF", ".bmp": "BMP"}.get(suffix, "JPEG")
            make().save(root / name, format=form)
        for name, content in contents.items():
            (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return made
