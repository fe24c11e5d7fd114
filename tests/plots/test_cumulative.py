import matplotlib.pyplot as plt
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from infojax.plots import cumulative


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=20), st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=20))
def test_every_line_runs_from_0_to_1_over_the_whole_picture(first, second):
    figure, axis = plt.subplots()
    cumulative(axis, {"a": first, "b": second}, {"a": {}, "b": {}})
    low, high = axis.get_xlim()
    for line, values in zip(axis.lines, (first, second), strict=True):
        x, y = (np.asarray(ends) for ends in line.get_data())
        assert x[0] <= low * (1 + 1e-9)
        assert x[-1] >= high * (1 - 1e-9)
        assert (y[0], y[-1]) == (0, 1)
        for value in values:  # what a loop counts
            assert y[np.flatnonzero(x <= value)[-1]] == np.mean(np.asarray(values) <= value)
    plt.close(figure)
