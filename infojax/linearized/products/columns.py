"""How many groups are left out at once by products with a kernel, each a column, and whether the kernel fits beside."""

# Columns that are under way at once: enough for matrix products at full speed.
COLUMNS = 1024
# What a column takes while it is under way, in columns: state, its next values, and terms of sums.
HELD = 10


def columns_at_once(groups: int, rows: int, itemsize: int, free: int) -> int:
    """How many groups are worked on together where so many bytes are free: at most a quarter of them."""
    most = max(1, min(COLUMNS, free // 4 // (HELD * rows * itemsize)))
    return -(-groups // -(-groups // most))


def resident(rows: int, columns: int, itemsize: int, free: int) -> bool:
    """Whether the kernel and the columns under way fit into so many bytes."""
    return rows * itemsize * (rows + HELD * columns) <= free
