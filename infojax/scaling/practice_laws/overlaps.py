"""The learners of deliberate practice, each trained on what the ones before it selected: their overlaps, exactly.

In units in which d = 1, learner i has seen the batches j ≤ i of n_j examples each, N_i in all, and with s_i = N_iλ
s_i w_i = Σ_x x f_i(x), f_i = y − w_i·x. Were x of batch j left out, w_k·x would be a_k, and all learners k ≥ j respond:

    f_i = b_i Σ_{j≤k≤i} A_ik (y − a_k),    A_ii = 1/(1 + b_i),    b_i(1 + b_i − N_i) = s_i(1 + b_i),

1/b_i being the trace of i's resolvent. A_ik, k < i, is there because w_k decides along which u_{k+1} = w_k/‖w_k‖ batch
k + 1 is selected, which moves w_i. Left out, x is Gaussian but along u_j: it has the moments I + κ_j u_j u_jᵀ and
E[y x] = c_j u_j + c'_j w_*. So

    (s_i/b_i) w_i·z = Σ_j n_j E_j[z·x f_i]/b_i,    z·x as x of batch j sees it,

are linear equations: for R_i = w_i·w_* and V_ik = v_i·v_k, v_i = w_i − R_i w_*, where z is w_* or an earlier
v_k, and for A_ik, where z is a new direction that pulls at w_k and so moves u_{k+1}. Then V_ii follows from z = v_i.

All were divided by b_i, so that nothing diverges as λ → 0. And nothing is differenced: forty rounds cost four digits of
sixteen, where a recursion through (Q(s) − Q(s'))/(s' − s) of resolvents loses all. See docs/scaling-laws.md.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


class Sizes(NamedTuple):
    """What is known of each learner before anything is learned; each (learners,)."""

    batch: Float[Array, " n"]  # n_i
    total: Float[Array, " n"]  # N_i
    b: Float[Array, " n"]
    q: Float[Array, " n"]  # 1 + b − N = s(1 + b)/b


class Batches(NamedTuple):
    """How each batch was selected; each (learners,), 0 for the first, which was not."""

    rho: Float[Array, " n"]  # u·w_*
    per_norm: Float[Array, " n"]  # 1/‖w‖ of the learner that selected
    stretch: Float[Array, " n"]  # κ
    own: Float[Array, " n"]  # c
    right: Float[Array, " n"]  # c'


class Overlaps(NamedTuple):
    """What is known of the learners so far; 0 beyond."""

    truth: Float[Array, " n"]  # R_i
    across: Float[Array, "n n"]  # V_ik
    memory: Float[Array, "n n"]  # A_ik, k ≤ i
    moved: Float[Array, "n n"]  # D = A⁻¹ − diag(b), 1 on the diagonal


def sizes_of(batch: Float[Array, " n"], ridge: Float[Array, ""]) -> Sizes:
    total = jnp.cumsum(batch)
    s = total * ridge
    slope, scale = 1 - total - s, 1 + total + s
    root = scale * jnp.sqrt((slope / scale) ** 2 + 4 * (s / scale) / scale)
    # of two forms the one that adds
    down = slope < 0
    b = jnp.where(down, (root - slope) / 2, 2 * s / jnp.where(down, 1, root + slope))
    q = (1 + b) * jnp.where(down, s / jnp.where(down, b, 1), (root + slope) / 2)
    return Sizes(batch, total, b, q)


def nothing_yet(sizes: Sizes) -> Overlaps:
    n = len(sizes.b)
    zero = jnp.zeros((n, n), sizes.b.dtype)
    return Overlaps(zero[0], zero, jnp.diag(1 / (1 + sizes.b)), zero + jnp.eye(n, dtype=sizes.b.dtype))


def learn(i: Int[Array, ""], sizes: Sizes, batches: Batches, known: Overlaps) -> Overlaps:
    """With learner i, given those before it and how their batches were selected."""
    n = len(sizes.b)
    index = jnp.arange(n)
    size, total, b, q = sizes
    rho, per_norm, stretch, own, right = batches
    before = index < i
    taken = jnp.where(index <= i, size, 0)
    b_i, q_i, a_i = b[i], q[i], 1 / (1 + b[i])
    seen = index[:, None] <= index[None, :]  # [j, k]: learner k has seen batch j
    along, aligned = _along(batches, known)  # u_j·v_k, u_j·w_k
    tilt = own[:, None] - stretch[:, None] * aligned
    pull = right + rho * own  # c·w_*
    means = _probes(sizes, known, along, seen)
    weight = jnp.where(seen, size[:, None], 0)  # n_j where k has seen j
    products = _products(means, weight, known.truth, pull, right, rho, own, along, tilt)  # [k, l]
    held = (b[:, None] * jnp.tril(known.memory)) @ (jnp.minimum(total[:, None], total[None]) * known.across)
    products = products - held - jnp.maximum(total[None, :] - total[:, None], 0) * known.across

    # The equations are those of R_i, V_ik and A_ik, and so are the unknowns: nine blocks.
    def later(values: Array) -> Array:  # of batch k + 1, which learner k selected
        return jnp.where(before, jnp.append(values[1:], 0), 0)

    bent = 1 + stretch * rho**2
    rr = q_i * a_i + a_i * jnp.sum(taken * bent)
    rv = a_i * later(taken * stretch * rho * per_norm)
    ra = -jnp.sum(weight * (right[:, None] - known.truth[None] + rho[:, None] * tilt), 0)
    r = a_i * jnp.sum(taken * pull)

    by_y, by_truth, by_own = (mean.T for mean in means)  # [k, j]
    vr = a_i * (by_y @ (pull * taken) + by_truth @ (bent * taken) + by_own @ (stretch * rho * taken))
    per_v = (by_y * own[None] + by_truth * (stretch * rho)[None] + by_own * stretch[None]) * (taken * per_norm)[None]
    vv = (
        jnp.concatenate([per_v[:, 1:], jnp.zeros((n, 1), b.dtype)], 1)
        + b[:, None] * jnp.tril(known.memory) * total[None]
    )
    vv = a_i * vv + jnp.diag(a_i * (total[i] - total) + q_i * a_i)
    v = a_i * (by_y @ taken + by_truth @ (pull * taken) + by_own @ (own * taken))

    lower = jnp.tril(known.moved)
    selects = jnp.where(before, jnp.append((size * per_norm)[1:], 0), 0)[:, None] * lower  # [l, k], of batch l + 1
    mr = -a_i * selects.T @ later(stretch * rho)
    mv = -a_i * (selects * later(stretch * per_norm)[:, None]).T
    tilted = jnp.concatenate([jnp.where(seen, tilt, 0)[1:], jnp.zeros((1, n), b.dtype)])
    ma = ((b_i - b + q)[:, None] * jnp.tril(lower, -1)).T + jnp.diag(q + b_i * (1 + b)) + selects.T @ tilted
    m = -a_i * selects.T @ later(own)

    both = before[:, None] & before[None]
    one = jnp.eye(n, dtype=b.dtype)
    blocks = [
        [rr[None, None], jnp.where(before, rv, 0)[None], jnp.where(before, ra, 0)[None]],
        [jnp.where(before, vr, 0)[:, None], jnp.where(both, vv, one), jnp.where(both, -products, 0)],
        [jnp.where(before, mr, 0)[:, None], jnp.where(both, mv, 0), jnp.where(both, ma, one)],
    ]
    matrix = jnp.concatenate([jnp.concatenate(row, 1) for row in blocks])
    right_side = jnp.concatenate([r[None], jnp.where(before, v, 0), jnp.where(before, m, 0)])
    scale = jax.lax.stop_gradient(1 / jnp.max(jnp.abs(matrix), 1))
    found = jnp.linalg.solve(scale[:, None] * matrix, scale * right_side)
    truth, across, memory = found[0], found[1 : n + 1], found[n + 1 :]
    moved = -(1 + b_i) * (memory @ jnp.tril(lower, -1) + memory * (1 + b))

    after = Overlaps(
        known.truth.at[i].set(truth),
        known.across.at[i].set(across).at[:, i].set(across),
        known.memory.at[i].add(memory),
        known.moved.at[i].add(moved),
    )
    length = _length(i, sizes, batches, after, taken, weight, seen)
    return after._replace(across=after.across.at[i, i].set(length))


def _along(batches: Batches, known: Overlaps) -> tuple[Float[Array, "n n"], Float[Array, "n n"]]:
    along = jnp.concatenate([jnp.zeros_like(known.across[:1]), known.across[:-1]]) * batches.per_norm[:, None]
    return along, jnp.outer(batches.rho, known.truth) + along


def _probes(
    sizes: Sizes, known: Overlaps, along: Float[Array, "n n"], seen: Array
) -> tuple[Float[Array, "n n"], Float[Array, "n n"], Float[Array, "n n"]]:
    """v_k·x, as x of batch j sees it, in y, w_*·x and, of the rest, u_j·v; each [j, k].

    That is y − R_k w_*·x − f_k where k has seen it, with f_k = b_k Σ_{m≥j} A_km (y − R_m w_*·x − v_m·x). As b may be
    large, 1 − b_k A_kk is taken as A_kk, which it is.
    """
    memory = jnp.tril(known.memory)
    last, earlier = jnp.diag(memory), jnp.tril(memory, -1)

    def since(values: Float[Array, "n n"]) -> Float[Array, "n n"]:  # Σ_{m≥j}, [j, k] from [k, m]
        return jnp.cumsum(values[:, ::-1], 1)[:, ::-1].T

    by_y = jnp.where(seen, last[None] - sizes.b[None] * since(earlier), 0)
    by_truth = jnp.where(seen, sizes.b[None] * since(earlier * known.truth[None]) - (last * known.truth)[None], 0)
    by_own = jnp.where(seen, sizes.b[None] * (jnp.where(seen, along, 0) @ memory.T), along)
    return by_y, by_truth, by_own


def _products(
    means: tuple[Array, Array, Array],
    weight: Array,
    truth: Array,
    pull: Array,
    right: Array,
    rho: Array,
    own: Array,
    along: Array,
    tilt: Array,
) -> Float[Array, "k l"]:
    """Σ_{j≤l} n_j E_j[v_k·x (y − a_l)], without the products V of what is not along u_j."""
    by_y, by_truth, by_own = means
    with_y = weight * (1 - jnp.outer(pull, truth) - own[:, None] * along)
    with_truth = weight * (right[:, None] - truth[None] + rho[:, None] * tilt)
    return by_y.T @ with_y + by_truth.T @ with_truth + by_own.T @ (weight * tilt)


def _length(
    i: Array, sizes: Sizes, batches: Batches, known: Overlaps, taken: Array, weight: Array, seen: Array
) -> Float[Array, ""]:
    """V_ii, which is still 0 in what is known."""
    rho, _, stretch, own, right = batches
    along, aligned = _along(batches, known)
    tilt = own[:, None] - stretch[:, None] * aligned
    memory = known.memory[i]
    b, total, a = sizes.b[i], sizes.total, 1 / (1 + sizes.b[i])
    by_y, by_truth, by_own = (
        jnp.where(taken > 0, jnp.take(mean, i, axis=1), 0)[:, None] for mean in _probes(sizes, known, along, seen)
    )
    rows = _products((by_y, by_truth, by_own), weight, known.truth, right + rho * own, right, rho, own, along, tilt)[0]
    rows = rows - b * memory @ (jnp.minimum(total[:, None], total[None]) * known.across)
    return (memory @ rows) / (sizes.q[i] * a + total[i] * b * a**2)
