"""State of which every device has rows of its own, in all modes and kinds of rounds; and what `extras` make of it."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import PartitionSpec

from jaxgan.errors import UserError
from jaxgan.game import (
    Aux,
    GameState,
    Move,
    Round,
    draw,
    init_state,
    make_extragradient_step,
    make_train_step,
    parallel,
    random,
)
from tests.game import toy

SGD = {"g": optax.sgd(0.1), "d": optax.sgd(0.1)}
ROWS = 8
# float32 sums over devices in another order.
CLOSE = {"rtol": 2e-5, "atol": 2e-6}


def pooled_d_loss(params, vars, x_fake, batch, rng):
    """Judges, by a coin for each example, its fake or the one in its row of the pool; the other stays in the pool."""
    pool = vars["local"]["pool"]
    past = draw(jax.random.bernoulli, rng, ())[:, None]
    shown, left = jnp.where(past, pool["x"], x_fake), jnp.where(past, x_fake, pool["x"])
    value, aux = toy.d_loss(params, vars, shown, batch, rng)
    return value, Aux(aux.metrics, local={"pool": {"x": left, "uses": pool["uses"] + 1}})


def roll(params, vars, batch, rng):
    """An environment in `local`, which the policy `g` moves and nothing differentiates."""
    now = 0.5 * vars["local"]["pool"]["x"] + toy.generate(params["g"], batch["x"])
    uses = vars["local"]["pool"]["uses"] + 1
    return None, Aux({"reward": now.mean()}, local={"pool": {"x": now, "uses": uses}})


def d_after_roll(params, vars, outcome, batch, rng):
    return toy.d_loss(params, vars, vars["local"]["pool"]["x"], batch, rng)


POOLED = Round(play=toy.play, moves=(Move("d", pooled_d_loss), Move("g", toy.g_loss)))
ROLLED = (Round(play=roll), Round(moves=(Move("d", d_after_roll),)))
GAMES = {  # rounds, how often a microbatch of ROWS is cut from a batch, accumulate, updates of the pool in 4 steps
    "plain": ((POOLED,), 1, 1, 4),
    "repeat": ((POOLED._replace(repeat=2),), 2, 1, 8),
    "accumulate": ((POOLED,), 2, 2, 8),
    "lazy": ((toy.ROUND, Round(play=toy.play, moves=(Move("d", pooled_d_loss, name="past"),), every=3)), 1, 1, 2),
    "extragradient": ((POOLED._replace(simultaneous=True),), 1, 1, 4),
    "alone": (ROLLED, 1, 1, 4),
    "alone, accumulated": (ROLLED, 2, 2, 8),
    "alone, lazy, repeated": ((ROLLED[0]._replace(every=2, repeat=2), ROLLED[1]._replace(repeat=2)), 2, 1, 4),
}


def unreported(loss):
    return lambda *arguments: (loss(*arguments)[0], Aux(local=loss(*arguments)[1].local))


def initial(game, axis_name=None):
    rounds, cuts, _, _ = GAMES[game]
    if game == "lazy":  # its losses report one metric twice
        rounds = (rounds[0], rounds[1]._replace(moves=(Move("d", unreported(pooled_d_loss), name="past"),)))
    pool = {"x": jax.random.normal(jax.random.key(5), (ROWS, 2)), "uses": jnp.zeros(ROWS, jnp.int32)}
    shapes = jax.eval_shape(lambda: toy.batch(ROWS * cuts))
    init = functools.partial(init_state, rounds, SGD, toy.variables(), batch=shapes, axis_name=axis_name)
    return rounds, init(local={"pool": pool})


def prepare(game, mode, devices):
    axis_name = parallel.axis_name_of(mode)
    rounds, state = initial(game, axis_name)
    make = make_extragradient_step if game == "extragradient" else make_train_step
    step = make(rounds, SGD, axis_name=axis_name, accumulate=GAMES[game][2])
    mesh = parallel.make_mesh(jax.devices()[:devices])
    return parallel.parallelize(step, mode, mesh), state, mesh


def advance(run, state, mesh, steps, game):
    state, key = parallel.place_state((state, toy.RNG), mesh)
    for t in steps:
        batch = parallel.place_batch(toy.batch(ROWS * GAMES[game][1], seed=t), mesh)
        state, metrics = run(state, batch, key)
    return state, metrics


@functools.cache
def reference(game):
    run, state, mesh = prepare(game, "jit", 1)
    return jax.device_get(advance(run, state, mesh, range(4), game))


@pytest.mark.parametrize(
    ("game", "mode", "devices"),
    [
        ("plain", "jit", 2),
        ("alone, accumulated", "jit", 4),
        *((game, "shard_map", 2 if game in ("plain", "alone") else 4) for game in GAMES),
        ("plain", "pmap", 4),
        *((game, "pmap", 2) for game in ("accumulate", "lazy", "alone, accumulated")),
    ],
)
def test_devices_with_rows_of_their_own_equal_one_device(game, mode, devices):
    run, start, mesh = prepare(game, mode, devices)
    state, metrics = advance(run, start, mesh, range(4), game)
    chex.assert_trees_all_close(jax.device_get((state, metrics)), reference(game), **CLOSE)
    np.testing.assert_array_equal(state.local["pool"]["uses"], GAMES[game][3])
    for leaf in jax.tree.leaves(state.local):
        assert leaf.sharding.is_equivalent_to(jax.NamedSharding(mesh, PartitionSpec("data")), leaf.ndim)


def test_a_pool_of_past_fakes_equals_a_loop_by_hand():
    """Oracle: coins and latents by the engine's rule of keys, and the pool's own definition; players at rest."""
    rest = {name: optax.sgd(0.0) for name in SGD}
    rounds, state = initial("plain")
    step = jax.jit(make_train_step(rounds, rest))
    pool = np.asarray(state.local["pool"]["x"])
    for t in range(3):
        state, metrics = step(state, toy.batch(ROWS), toy.RNG)
        fake = np.asarray(toy.generate(toy.params()["g"], toy.noise(t, 0, range(ROWS))))
        key = jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(toy.RNG, t), 0), 1)
        past = jax.vmap(jax.random.bernoulli)(random.example_keys(key, jnp.arange(ROWS)))
        past = np.asarray(past)[:, None]
        shown, pool = np.where(past, pool, fake), np.where(past, fake, pool)
        expected = jax.nn.sigmoid(toy.judge(toy.params()["d"], shown)).mean()
        np.testing.assert_allclose(metrics["d_fake"], expected, **CLOSE)
        np.testing.assert_allclose(state.local["pool"]["x"], pool, **CLOSE)


def first_two(where):
    """A pool of the first two numbers that a device sees."""

    def loss(params, vars, outcome, batch, rng):
        return params["g"].sum(), Aux(**{where: {"pool": batch["x"][: vars[where]["pool"].shape[0]]}})

    return (Round(moves=(Move("g", loss),)),)


@pytest.mark.parametrize("mode", ["pmap", "shard_map"])
def test_extras_average_a_pool_and_local_does_not(mode):
    """Negative control, on two devices that see 0..3 and 4..7: their pools, and the mean of these."""
    mesh = parallel.make_mesh(jax.devices()[:2])

    def pool(where, rows, mode):
        table = first_two(where)
        state = init_state(table, SGD, {"g": {"params": jnp.ones(())}}, **{where: {"pool": jnp.zeros(rows)}})
        step = make_train_step(table, SGD, axis_name=parallel.axis_name_of(mode))
        batch = parallel.place_batch({"x": np.arange(8.0, dtype=np.float32)}, mesh)
        state, _ = parallel.parallelize(step, mode, mesh)(parallel.place_state(state, mesh), batch, toy.RNG)
        return np.asarray(getattr(state, where)["pool"])

    np.testing.assert_array_equal(pool("extras", 2, "jit"), [0, 1])
    np.testing.assert_array_equal(pool("extras", 2, mode), [2, 3])
    np.testing.assert_array_equal(pool("local", 4, mode), [0, 1, 4, 5])
    np.testing.assert_array_equal(pool("local", 8, mode), pool("local", 8, "jit"))


@pytest.mark.parametrize("mode", ["jit", "pmap", "shard_map"])
def test_a_state_that_rested_on_the_host_goes_on_bit_for_bit(mode):
    run, start, mesh = prepare("plain", mode, 2)
    whole, _ = advance(run, start, mesh, range(4), "plain")
    half, _ = advance(run, start, mesh, range(2), "plain")
    resumed, _ = advance(run, jax.device_get(half), mesh, range(2, 4), "plain")
    chex.assert_trees_all_equal(jax.device_get(resumed), jax.device_get(whole))


def test_a_round_sees_what_the_rounds_before_have_left():
    """Oracle: 1 + 2 + 4, seen by three rounds that double it; under extragradient both steps see the same."""

    def double(params, vars, outcome, batch, rng):
        n = vars["local"]["n"]
        return params["g"] * n.mean(), Aux(local={"n": 2 * n})

    rounds = tuple(Round(moves=(Move("g", double, name=f"g{i}"),)) for i in range(3))
    start = init_state(rounds, SGD, {"g": {"params": jnp.ones(())}}, local={"n": jnp.ones(4)})
    for make in (make_train_step, make_extragradient_step):
        state, _ = make(rounds, SGD)(start, toy.batch(), toy.RNG)
        np.testing.assert_allclose(state.players["g"].params, 1 - 0.1 * (1 + 2 + 4), rtol=1e-6)
        np.testing.assert_array_equal(state.local["n"], [8] * 4)


def test_keys_may_be_local():
    """Environments keep keys of their own, one a row."""

    def play(params, vars, batch, rng):
        keys = jax.vmap(lambda key: jax.random.split(key)[0])(vars["local"]["keys"])
        return jax.vmap(jax.random.normal)(vars["local"]["keys"]), Aux(local={"keys": keys})

    def loss(params, vars, outcome, batch, rng):
        return params["g"] * outcome.mean(), Aux()

    rounds = (Round(play=play, moves=(Move("g", loss),)),)
    keys = jax.random.split(jax.random.key(1), 4)
    mesh, seen = parallel.make_mesh(jax.devices()[:2]), {}
    for mode in ("jit", "pmap", "shard_map"):
        state = init_state(rounds, SGD, {"g": {"params": jnp.ones(())}}, local={"keys": keys})
        step = make_train_step(rounds, SGD, axis_name=parallel.axis_name_of(mode))
        run = parallel.parallelize(step, mode, mesh)
        state, _ = run(parallel.place_state(state, mesh), parallel.place_batch(toy.batch(4), mesh), toy.RNG)
        seen[mode] = float(state.players["g"].params), jax.random.key_data(state.local["keys"])
    expected = 1 - 0.1 * float(jax.vmap(jax.random.normal)(keys).mean())
    after = jax.random.key_data(jax.vmap(lambda key: jax.random.split(key)[0])(keys))
    for value, data in seen.values():
        np.testing.assert_allclose(value, expected, rtol=1e-6)
        np.testing.assert_array_equal(data, after)


def test_the_shardings_of_an_abstract_state():
    mesh = parallel.make_mesh(jax.devices()[:4])
    state = jax.eval_shape(lambda: initial("plain")[1])
    shardings = parallel.state_shardings(state, mesh)
    assert jax.tree.structure(shardings) == jax.tree.structure(state)
    assert {sharding.spec for sharding in jax.tree.leaves(shardings.local)} == {PartitionSpec("data")}
    rest = jax.tree.leaves(shardings.replace(local={}))
    assert {sharding.spec for sharding in rest} == {PartitionSpec()}
    assert len(rest) == len(jax.tree.leaves(state)) - 2
    assert {s.spec for s in jax.tree.leaves(parallel.state_shardings({"local": jnp.ones(4)}, mesh))} == {
        PartitionSpec()
    }


def test_processes_give_their_own_rows():
    """Oracle: the shares, one behind the other, are the whole."""
    _, state = initial("plain")
    shares = [parallel.own_rows(state, process, 2) for process in range(2)]
    joined = jax.tree.map(lambda *parts: np.concatenate(parts), *(share.local for share in shares))
    chex.assert_trees_all_equal(joined, jax.device_get(state.local))
    chex.assert_trees_all_equal(shares[1].players, state.players)
    chex.assert_trees_all_equal(parallel.own_rows(state), state)
    with pytest.raises(UserError, match="8 rows of GameState.local cannot be split evenly over 3"):
        parallel.own_rows(state, 0, 3)


def reports(aux):
    return (Round(moves=(Move("g", lambda params, *rest: (params["g"].sum(), aux)),)),)


def one_step(aux):
    rounds = reports(aux)
    state = init_state(rounds, SGD, {"g": {"params": jnp.ones(())}}, local={"pool": {"x": jnp.ones((4, 2))}})
    return make_train_step(rounds, SGD)(state, toy.batch(), toy.RNG)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda: one_step(Aux(local={"p": jnp.ones(4)})), "brings the local entry 'p', but init_state"),
        (
            lambda: one_step(Aux(local={"pool": {"x": jnp.ones((3, 2))}})),
            r"'pool' as \{'x': 'float32\[3, 2\]'\}, but the state has \{'x': 'float32\[4, 2\]'\}",
        ),
        (lambda: one_step(Aux(local={"pool": {"x": jnp.ones((4, 2), jnp.bfloat16)}})), r"bfloat16\[4, 2\]"),
        (lambda: one_step(Aux(local={"pool": jnp.ones((4, 2))})), r"as float32\[4, 2\], but"),
        (
            lambda: init_state(reports(Aux()), SGD, {"g": {"params": jnp.ones(())}}, local={"n": jnp.ones(())}),
            "local entry 'n' must have rows as its first axis",
        ),
        (
            lambda: init_state(reports(Aux()), SGD, {"g": {"params": 1.0}, "local": {"params": 1.0}}),
            "may not be named 'local'",
        ),
        (
            lambda: parallel.place_state(initial("plain")[1], parallel.make_mesh(jax.devices()[:3])),
            "8 rows of GameState.local cannot be split evenly over 3 devices",
        ),
        (
            lambda: prepare("plain", "shard_map", 3)[0](initial("plain")[1], toy.batch(24), toy.RNG),
            "8 rows of GameState.local cannot be split evenly over 3 devices",
        ),
    ],
)
def test_a_mistake_is_one_sentence(change, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        change()
    assert "\n" not in str(caught.value)


def test_no_local_is_the_default():
    assert init_state((toy.ROUND,), SGD, toy.variables()).local == {}
    assert GameState(jnp.int32(0), {}, {}, {}).frozen == {}
