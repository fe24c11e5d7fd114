import numpy as np

from infojax.linearized.groups import rows_of_groups


def test_examples_one_by_one_are_blocks_of_outputs():
    rows = rows_of_groups(None, examples=3, outputs=2)
    np.testing.assert_array_equal(rows.indices, [[0, 1], [2, 3], [4, 5]])
    assert rows.present.all()
    np.testing.assert_array_equal(rows.sizes, 1)


def test_groups_of_different_sizes_are_padded():
    rows = rows_of_groups([[2], [0, 1]], examples=4, outputs=2)
    np.testing.assert_array_equal(rows.indices, [[4, 5, 0, 0], [0, 1, 2, 3]])
    np.testing.assert_array_equal(rows.present, [[True, True, False, False], [True] * 4])
