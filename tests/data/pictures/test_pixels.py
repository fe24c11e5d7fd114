"""What a picture looks like as numbers: transparency, frames, and depths."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from infojax.data import load
from infojax.errors import DataWarning, InvalidInput

ALPHA = np.array([[0, 51, 255], [255, 102, 0]], np.uint8)
COLOR = np.array([[10, 200, 30], [40, 50, 60]], np.uint8)


def over(color, alpha, background):
    """α color + (1 − α) background, in [0, 1]."""
    alpha = alpha / 255
    return alpha * color / 255 + (1 - alpha) * background


def png(depth, color_type, row, key, width=4):
    """A PNG of one row with a transparent color, as no library writes it in all depths."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, 1, depth, color_type, 0, 0, 0)
    data = zlib.compress(b"\0" + row)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*each) for each in ((b"IHDR", header), (b"tRNS", key), (b"IDAT", data), (b"IEND", b""))
    )


def rgba():
    return Image.fromarray(np.dstack([COLOR, COLOR, COLOR, ALPHA]))


def la():
    return Image.fromarray(np.dstack([COLOR, ALPHA]))


def palette():
    """Six colors of a palette, each with its own α."""
    picture = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3)).convert("P")
    picture.putpalette(np.repeat(COLOR.ravel(), 3).tolist())
    picture.info["transparency"] = ALPHA.tobytes()
    return picture


@pytest.mark.parametrize("background", [1.0, 0.0, 0.4])
@pytest.mark.parametrize(
    ("make", "suffix"),
    [(rgba, "png"), (la, "png"), (palette, "png"), (rgba, "tif"), (la, "tif")],
)
def test_transparent_parts_show_the_background(folder, make, suffix, background):
    root = folder(f"a/0.{suffix}", f"b/0.{suffix}", make=make)
    with pytest.warns(DataWarning, match=rf"2 of 2 pictures .*transparent parts; .*\(background={background:g}\)"):
        own = load(root, background=background)
    assert own.x.shape[-1] == (1 if make is la else 3)
    np.testing.assert_allclose(own.x[0, ..., 0], over(COLOR, ALPHA, background), atol=1.01 / 255)


def test_webp(folder):
    root = folder("a/0.webp", "b/0.webp", make=lambda: Image.new("RGBA", (4, 4), (255, 0, 0, 0)))
    Image.new("RGB", (4, 4), (0, 0, 255)).save(root / "b" / "0.webp", lossless=True)
    with pytest.warns(DataWarning, match="1 of 2 pictures"):
        own = load(root)
    np.testing.assert_array_equal(own.x[0], 1)


def test_a_gif_has_a_color_that_is_transparent(folder):
    picture = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).convert("P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255])
    root = folder("a/0.gif", "b/0.gif", make=lambda: picture)
    picture.save(root / "a" / "0.gif", transparency=0)
    with pytest.warns(DataWarning, match="1 of 2 pictures"):
        own = load(root)
    assert own.x[:, 0, 0].tolist() == [[1, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("depth", "color_type", "row", "key", "shown"),
    [
        (1, 0, b"\xa0", b"\0\0", [255, 255, 255, 255]),
        (2, 0, b"\x1b", b"\0\1", [0, 255, 170, 255]),
        (4, 0, b"\x0f\x8e", b"\0\x08", [0, 255, 255, 238]),
        (8, 0, b"\0\x10\x20\x30", b"\0\x20", [0, 16, 255, 48]),
        (8, 2, bytes([1, 1, 1, 9, 9, 9, 1, 1, 2, 0, 0, 0]), b"\0\1\0\1\0\1", [255, 9, 1, 0]),
    ],
)
def test_the_transparent_color_of_a_png_without_alpha(folder, depth, color_type, row, key, shown):
    root = folder(**{"a/0.png": png(depth, color_type, row, key)})
    Image.new("L", (4, 1), 7).save(root / "a" / "1.png")
    with pytest.warns(DataWarning, match="1 of 2 pictures .*laid on white"):
        own = load(root)
    assert (255 * own.x[0, 0, :, 0]).round().tolist() == shown


def test_opaque_pictures_with_alpha_are_as_without(folder):
    root = folder("a/0.png", "b/0.png", make=lambda: Image.fromarray(np.dstack([COLOR] * 3 + [0 * ALPHA + 255])))
    np.testing.assert_array_equal(load(root, background=0.3).x[0, ..., 0], COLOR / np.float32(255))


def test_pictures_that_show_nothing_on_their_background(folder):
    def white():
        return Image.fromarray(np.dstack([0 * COLOR + 255] * 3 + [ALPHA]))

    root = folder("a/0.png", "b/0.png", make=white)
    with pytest.raises(InvalidInput, match=r"all 2 pictures .*show nothing on background=1\. Give another"):
        load(root)
    with pytest.warns(DataWarning, match="laid on black"):
        own = load(root, background=0)
    np.testing.assert_array_equal(own.x[0, ..., 0], ALPHA / np.float32(255))
    folder("c/0.png", make=rgba)
    with pytest.warns(DataWarning, match=r"3 of 3 .* 2 show nothing on it, such as .*a/0\.png"):
        load(root)


def test_transparent_parts_are_laid_before_resizing(folder):
    """The color below a transparent pixel does not bleed into its neighbors."""
    hidden = np.zeros((4, 4, 4), np.uint8)
    hidden[:, :2] = (255, 0, 0, 0)
    root = folder("a/0.png", "b/0.png", make=lambda: Image.fromarray(hidden))
    hidden[:, 2:] = (0, 0, 255, 255)
    Image.fromarray(hidden).save(root / "a" / "0.png")
    with pytest.warns(DataWarning, match="laid on white"):
        own = load(root, size=(2, 2))
    assert (own.x[..., 0] <= own.x[..., 2] + 1e-6).all()


@pytest.mark.parametrize("background", [-0.1, 1.1, float("nan")])
def test_backgrounds_are_gray_levels(folder, background):
    with pytest.raises(InvalidInput, match=r"from 0 \(black\) to 1 \(white\)"):
        load(folder("a/0.png", "b/0.png"), background=background)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_the_first_of_several_frames_is_taken_and_said(folder, suffix):
    frames = [Image.new("RGB", (4, 4), color) for color in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    root = folder("a/0.png", "b/0.png")
    frames[0].save(root / "a" / f"1.{suffix}", save_all=True, append_images=frames[1:], lossless=True)
    with pytest.warns(
        DataWarning, match=rf"1 of 3 pictures \(.*a/1\.{suffix}\) has several frames or pages; the first"
    ):
        own = load(root)
    np.testing.assert_array_equal(own.x[1], np.broadcast_to([1, 0, 0], (4, 4, 3)))


def test_previews_in_a_cameras_jpeg_are_no_frames(folder):
    pictures = [
        Image.fromarray(np.full((8, 8, 3), v, np.uint8) + np.eye(8, dtype=np.uint8)[..., None]) for v in (10, 200)
    ]
    root = folder("a/0.png", "b/0.png", make=lambda: pictures[0])
    pictures[0].save(root / "a" / "1.jpg", format="MPO", save_all=True, append_images=pictures[1:])
    assert load(root).x.max() < 0.1


def test_more_than_8_bits(folder):
    root = folder("a/0.png", "b/0.png")
    (root / "a" / "1.png").write_bytes(png(16, 2, bytes(range(0, 48, 2)), bytes(6)))
    Image.new("L", (4, 1)).save(root / "a" / "0.png")
    Image.new("L", (4, 1)).save(root / "b" / "0.png")
    with pytest.warns(DataWarning, match=r"a/1\.png\) has more than 8 bits a channel; the upper 8 were taken"):
        own = load(root)
    np.testing.assert_allclose(own.x[1, 0, 0] * 255, [0, 4, 8], atol=1e-5)
    for picture in (Image.fromarray(np.full((1, 4), 0.5, np.float32)), Image.fromarray(np.full((1, 4), 9, np.int32))):
        picture.save(root / "b" / "1.tif")
        with pytest.raises(InvalidInput, match=r"1\.tif has pixels of mode [FI]; convert it to 8 bits a channel"):
            load(root)


def test_pictures_with_too_many_pixels(folder, monkeypatch):
    root = folder("a/0.png", "b/0.png")
    Image.new("L", (300, 300)).save(root / "b" / "1.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(InvalidInput, match=r"b/1\.png has too many pixels"):
        load(root, size=(4, 4))


def bmp_of_alpha(folder, alphas):
    """BMPs as Pillow saves RGBA: the alpha lies in the fourth byte of a pixel, which Pillow does not read."""
    root = folder()
    for i, alpha in enumerate(alphas):
        (root / "ab"[i % 2]).mkdir(exist_ok=True)
        Image.fromarray(np.dstack([COLOR] * 3 + [alpha])).save(root / "ab"[i % 2] / f"{i}.bmp")
    return root


@pytest.mark.parametrize("background", [0.0, 1.0])
def test_the_alpha_of_a_bmp(folder, background):
    root = bmp_of_alpha(folder, (ALPHA, ALPHA[::-1]))
    with pytest.warns(DataWarning, match="2 of 2 pictures .* transparent parts"):
        x = load(root, background=background).x
    np.testing.assert_allclose(x[0, ..., 0], over(COLOR, ALPHA, background), atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(x[1, ..., 0], over(COLOR, ALPHA[::-1], background), atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize("alpha", [0, 255])
def test_a_bmp_whose_fourth_bytes_say_nothing(folder, alpha):
    x = load(bmp_of_alpha(folder, (0 * ALPHA + alpha,) * 2)).x
    np.testing.assert_array_equal(x[0, ..., 0], COLOR / np.float32(255))


def test_blank_pictures_are_said(folder):
    root = folder("a/0.png", "b/0.png", make=lambda: Image.new("RGB", (4, 4), (9, 8, 7)))
    with pytest.warns(DataWarning, match="all 2 pictures are of one and the same color"):
        load(root)
    assert len(load(folder("b/1.png"))) == 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"size": 8}, r"size is 8; give \(height, width\)"),
        ({"size": "8x8"}, r"size is '8x8'; give \(height, width\)"),
        ({"size": (8, 8, 3)}, r"size \(8, 8, 3\) has 3 numbers; give \(height, width\)"),
        ({"size": (8.5, 8)}, "each side is 8.5; it must be a whole number"),
        ({"size": (None, 8)}, "each side is None; it must be a whole number"),
        ({"size": ((8, 8), 8)}, r"size is \(\(8, 8\), 8\); give|each side is"),
        ({"size": (0, 8)}, "has no pixels"),
        ({"background": "white"}, "background is 'white'; give a number from 0"),
        ({"background": None}, "background is None; give a number from 0"),
        ({"background": (1, 1, 1)}, r"background is \(1, 1, 1\); give a number from 0"),
        ({"background": np.nan}, "background is nan; give a number from 0"),
        ({"split": ["train"]}, r"split \['train'\] is neither 'train'"),
        ({"split": None}, "split None is neither 'train'"),
        ({"root": 3}, "root is 3; give a path"),
    ],
)
def test_options_that_are_none(folder, options, says):
    with pytest.raises(InvalidInput, match=says):
        load(folder("a/0.png", "b/0.png"), **options)


@pytest.mark.parametrize("size", [(8.0, 8.0), [8, 8], np.array([8, 8])])
def test_sizes_as_people_have_them(folder, size):
    assert load(folder("a/0.png", "b/0.png"), size=size).x.shape == (2, 8, 8, 1)


@pytest.mark.parametrize("what", [None, 3, b"digits", ["digits"], "", {"digits"}])
def test_what_is_no_name_and_no_path(what):
    with pytest.raises(InvalidInput, match=r"load\(.*give the name of a set"):
        load(what)
