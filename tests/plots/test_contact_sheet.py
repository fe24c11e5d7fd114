import matplotlib.pyplot as plt
import numpy as np
import pytest

from infojax.errors import InvalidInput
from infojax.plots import contact_sheet


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def drawn(figure):
    return [axis.images[0].get_array() for axis in figure.axes if axis.images]


@pytest.mark.parametrize("channels", [1, 3])
def test_draws_every_image_over_its_caption(channels):
    images = np.random.default_rng(0).random((7, 4, 5, channels)).astype(np.float32)
    figure = contact_sheet(images, [f"no. {i}" for i in range(7)], columns=3, title="seven")
    assert len(figure.axes) == 9
    for got, want in zip(drawn(figure), images, strict=True):
        np.testing.assert_array_equal(got.reshape(4, 5, channels), want)
    assert [axis.texts[0].get_text() for axis in figure.axes[:7]] == [f"no. {i}" for i in range(7)]
    assert all(axis.images[0].get_clim() == (0, 1) for axis in figure.axes[:7])


def test_normalised_images_are_scaled_together():
    images = np.array([-1.0, 0.0, 3.0], np.float32).reshape(3, 1, 1, 1)
    assert [float(image[0, 0]) for image in drawn(contact_sheet(images, list("abc")))] == [0, 0.25, 1]


def test_constant_images_outside_of_the_range():
    images = np.full((2, 2, 2, 1), 7.0, np.float32)
    assert all(np.isfinite(image).all() for image in drawn(contact_sheet(images, list("ab"))))


@pytest.mark.parametrize(("shape", "captions"), [((0, 2, 2, 1), 0), ((2, 2, 2, 2), 2), ((2, 2, 2, 1), 3)])
def test_refuses_what_it_cannot_draw(shape, captions):
    with pytest.raises(InvalidInput, match="contact sheet takes images"):
        contact_sheet(np.zeros(shape, np.float32), ["x"] * captions)
