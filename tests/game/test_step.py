"""The engine against loops written by hand with `jax.grad`, one property at a time."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.errors import UserError
from jaxgan.game import Aux, Ema, Move, Round, init_state, make_train_step
from tests.game import toy

RATES = {"g": 0.05, "d": 0.2}
SGD = {name: optax.sgd(rate) for name, rate in RATES.items()}
# Both sides are float32 and differ in the order of sums only.
CLOSE = {"rtol": 2e-5, "atol": 2e-6}


def run(rounds, optimizers, steps, batches, **options):
    ema = options.get("ema")
    state = init_state(rounds, optimizers, toy.variables(), ema=ema, batch=batches[0])
    step = jax.jit(make_train_step(rounds, optimizers, **options))
    history = []
    for t in range(steps):
        state, metrics = step(state, batches[t], toy.RNG)
        history.append(metrics)
    return state, history


def players(state):
    return {name: player.params for name, player in state.players.items()}


def test_two_time_scales_and_order_of_moves_equal_a_loop_by_hand():
    """TTUR: each player its own rate; the generator answers the discriminator that has just moved."""
    batches = [toy.batch(seed=t) for t in range(5)]
    state, history = run((toy.ROUND,), SGD, 5, batches)
    hand = toy.params()
    for t, batch in enumerate(batches):
        of_d, of_g = toy.losses_by_hand(batch["x"], toy.noise(t, 0, range(16)))
        loss, grads = jax.value_and_grad(of_d)(hand["d"], hand["g"])
        np.testing.assert_allclose(history[t]["d/loss"], loss, **CLOSE)
        np.testing.assert_allclose(history[t]["d/grad_norm"], optax.tree.norm(grads), **CLOSE)
        hand["d"] = toy.sgd(hand["d"], grads, RATES["d"])
        loss, grads = jax.value_and_grad(of_g)(hand["g"], hand["d"])
        np.testing.assert_allclose(history[t]["g/loss"], loss, **CLOSE)
        hand["g"] = toy.sgd(hand["g"], grads, RATES["g"])
    chex.assert_trees_all_close(players(state), hand, **CLOSE)
    assert state.step == 5


def test_repeat_takes_strided_microbatches_and_equals_a_loop_by_hand():
    rounds = (toy.D_ONLY._replace(repeat=3), toy.G_ONLY)
    batches = [toy.batch(24, seed=t) for t in range(3)]
    state, _ = run(rounds, SGD, 3, batches)
    hand = toy.params()
    for t, batch in enumerate(batches):
        for cut in range(3):
            rows = np.arange(cut, 24, 3)
            of_d, _ = toy.losses_by_hand(batch["x"][rows], toy.noise(t, 0, rows))
            hand["d"] = toy.sgd(hand["d"], jax.grad(of_d)(hand["d"], hand["g"]), RATES["d"])
        rows = np.arange(0, 24, 3)
        _, of_g = toy.losses_by_hand(batch["x"][rows], toy.noise(t, 1, rows))
        hand["g"] = toy.sgd(hand["g"], jax.grad(of_g)(hand["g"], hand["d"]), RATES["g"])
    chex.assert_trees_all_close(players(state), hand, **CLOSE)


def test_lazy_round_equals_a_loop_by_hand_and_holds_its_metrics():
    lazy = Round(moves=(Move("d", toy.r1, name="r1"),), every=3)
    batches = [toy.batch(seed=t) for t in range(5)]
    state, history = run((toy.D_ONLY, lazy), SGD, 5, batches)
    hand = toy.params()
    for t, batch in enumerate(batches):
        of_d, _ = toy.losses_by_hand(batch["x"], toy.noise(t, 0, range(16)))
        hand["d"] = toy.sgd(hand["d"], jax.grad(of_d)(hand["d"], hand["g"]), RATES["d"])
        if t % 3 == 0:
            grads = jax.grad(lambda d, x=batch["x"]: toy.r1({"d": d}, {}, None, {"x": x}, None)[0])(hand["d"])
            hand["d"] = toy.sgd(hand["d"], jax.tree.map(lambda g: 3 * g, grads), RATES["d"])
    chex.assert_trees_all_close(players(state), hand, **CLOSE)
    chex.assert_trees_all_close(players(state)["g"], toy.params()["g"])
    for name in ("r1", "r1/loss", "r1/grad_norm"):
        values = [float(metrics[name]) for metrics in history]
        assert values[0] == values[1] == values[2] != values[3] == values[4]
        assert values[0] > 0


@pytest.mark.parametrize("rampup", [None, 0.05])
def test_ema_equals_a_loop_by_hand(rampup):
    """Oracle: weight 2^(-batch / half-life), the half-life at most `rampup` times the images seen."""
    batches = [toy.batch(seed=t) for t in range(6)]
    ema = {"g": Ema(halflife_kimg=0.02, rampup=rampup)}
    state, _ = run((toy.ROUND,), SGD, 6, batches, ema=ema)
    average = toy.params()["g"]
    for t in range(6):
        now = players(run((toy.ROUND,), SGD, t + 1, batches)[0])["g"]
        halflife = 20.0 if rampup is None else min(20.0, rampup * 16 * t)
        weight = 0.5 ** (16 / halflife) if halflife else 0.0
        average = jax.tree.map(lambda a, p, w=weight: w * a + (1 - w) * p, average, now)
    chex.assert_trees_all_close(state.players["g"].ema, average, **CLOSE)
    assert state.players["d"].ema is None
    with pytest.raises(AssertionError):
        chex.assert_trees_all_close(state.players["g"].ema, state.players["g"].params, rtol=1e-3)


def test_collections_are_copied_into_the_average_and_never_averaged():
    def play(params, vars, batch, rng):
        return None, Aux(vars={"g": {"seen": vars["g"]["seen"] + batch["x"].sum()}})

    def loss(params, vars, outcome, batch, rng):
        return (params["g"] * vars["g"]["seen"]).sum(), Aux()

    rounds = (Round(play=play, moves=(Move("g", loss),)),)
    rules = {"g": Ema(halflife_kimg=100.0, rampup=None)}
    variables = {"g": {"params": jnp.ones(()), "seen": jnp.zeros(())}}
    state = init_state(rounds, SGD, variables, ema=rules)
    batch = toy.batch()
    for _ in range(2):
        state, _ = make_train_step(rounds, SGD, ema=rules)(state, batch, toy.RNG)
    averaged = state.players["g"].variables(averaged=True)
    np.testing.assert_allclose(averaged["seen"], 2 * batch["x"].sum(), rtol=1e-6)
    assert averaged["params"] != state.players["g"].params


def test_accumulation_equals_the_full_batch():
    batches = [toy.batch(16, seed=t) for t in range(4)]
    whole, whole_history = run((toy.ROUND,), SGD, 4, batches)
    parts, parts_history = run((toy.ROUND,), SGD, 4, batches, accumulate=4)
    chex.assert_trees_all_close(whole, parts, **CLOSE)
    chex.assert_trees_all_close(whole_history, parts_history, **CLOSE)


@pytest.mark.parametrize("order", ["gd", "gg", "dgd"])
def test_accumulation_judges_the_play_of_the_rounds_beginning(order):
    """As the shared play does, whoever has moved since: whole batch and microbatches agree in every order of moves."""
    loss = {"g": toy.g_loss, "d": toy.d_loss}
    moves = tuple(Move(p, _unreported(loss[p]), name=f"{p}{i}") for i, p in enumerate(order))
    rounds = (Round(play=toy.play, moves=moves),)
    batches = [toy.batch(16, seed=t) for t in range(3)]
    whole, _ = run(rounds, SGD, 3, batches)
    parts, _ = run(rounds, SGD, 3, batches, accumulate=4)
    chex.assert_trees_all_close(whole, parts, **CLOSE)


def _unreported(loss):
    return lambda *arguments: (loss(*arguments)[0], Aux())


def test_accumulation_feeds_a_replayed_plays_collections_to_the_loss_and_keeps_them_once():
    def play(params, vars, batch, rng):
        return None, Aux(vars={"g": {"count": vars["g"]["count"] + 1}})

    def loss(params, vars, outcome, batch, rng):
        return params["g"].sum() * vars["g"]["count"], Aux()

    rounds = (Round(play=play, moves=(Move("g", loss), Move("g", loss, name="again"))),)
    state = init_state(rounds, SGD, {"g": {"params": jnp.ones(()), "count": jnp.zeros(())}})
    state, _ = make_train_step(rounds, SGD, accumulate=4)(state, toy.batch(), toy.RNG)
    assert state.players["g"].vars["count"] == 4
    # Seen counts 1, 2, 3, 4 in the first move (mean 2.5) and 5 at each of the second's replays.
    np.testing.assert_allclose(state.players["g"].params, 1 - RATES["g"] * (2.5 + 5))


def test_a_play_in_which_both_players_take_part_gives_both_their_gradient():
    """Oracle: `jax.grad` of the composed loss; the direct and the pulled-back part must add up."""

    def play(params, vars, batch, rng):
        return {"y": params["a"] * params["b"] * batch["x"].sum(), "n": jnp.int32(3)}, Aux()

    def loss_a(params, vars, outcome, batch, rng):
        return jnp.sin(outcome["y"]) * params["a"] * outcome["n"], Aux()

    def loss_b(params, vars, outcome, batch, rng):
        return jnp.cos(outcome["y"]) + params["b"] ** 2, Aux()

    rounds = (Round(play=play, moves=(Move("a", loss_a), Move("b", loss_b))),)
    optimizers = {"a": optax.sgd(0.1), "b": optax.sgd(0.1)}
    state = init_state(rounds, optimizers, {p: {"params": jnp.float32(v)} for p, v in {"a": 0.7, "b": 1.3}.items()})
    batch = {"x": jnp.array([0.5, 0.25])}
    state, _ = make_train_step(rounds, optimizers)(state, batch, toy.RNG)
    grad_a = jax.grad(lambda a: jnp.sin(a * 1.3 * 0.75) * a * 3)(0.7)
    grad_b = jax.grad(lambda b: jnp.cos(0.7 * b * 0.75) + b**2)(1.3)
    np.testing.assert_allclose(state.players["a"].params, 0.7 - 0.1 * grad_a, rtol=1e-6)
    np.testing.assert_allclose(state.players["b"].params, 1.3 - 0.1 * grad_b, rtol=1e-6)


def test_extras_are_read_and_updated():
    def loss(params, vars, outcome, batch, rng):
        return params["g"].sum() * vars["extras"]["p"], Aux(extras={"p": vars["extras"]["p"] + 0.5})

    rounds = (Round(moves=(Move("g", loss),)),)
    state = init_state(rounds, SGD, {"g": {"params": jnp.ones(())}}, extras={"p": jnp.float32(2)})
    step = jax.jit(make_train_step(rounds, SGD))
    for _ in range(2):
        state, _ = step(state, toy.batch(), toy.RNG)
    assert state.extras["p"] == 3.0
    np.testing.assert_allclose(state.players["g"].params, 1 - RATES["g"] * (2 + 2.5))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda: make_train_step((), SGD), "at least one round"),
        (lambda: make_train_step((toy.ROUND,), {"g": SGD["g"]}), "missing: d"),
        (lambda: make_train_step((toy.ROUND,), SGD, ema={"h": Ema()}), "ema names h"),
        (lambda: make_train_step((toy.ROUND,), SGD, ema={"g": Ema(0.0)}), "halflife_kimg must be above 0"),
        (lambda: make_train_step((toy.ROUND,), SGD, ema={"g": Ema(rampup=-1)}), "rampup must be above 0"),
        (lambda: make_train_step((toy.ROUND,), SGD, accumulate=0), "accumulate must be at least 1, got 0"),
        (lambda: make_train_step((toy.ROUND._replace(every=0),), SGD), "every of round 0 must be at least 1"),
        (lambda: make_train_step((toy.ROUND._replace(repeat=-2),), SGD), "repeat of round 0 must be at least 1"),
        (lambda: init_state((toy.ROUND,), SGD, {"g": {"params": 1.0}}), "missing: d"),
        (lambda: init_state((toy.ROUND._replace(every=2),), SGD, toy.variables()), r"init_state\(batch=\.\.\.\)"),
        (lambda: run((toy.ROUND, toy.ROUND), SGD, 1, [toy.batch()]), "two metrics of one step are named"),
        (lambda: run((toy.ROUND._replace(repeat=3),), SGD, 1, [toy.batch(16)]), "multiple of 3"),
        (lambda: run((toy.ROUND,), SGD, 1, [{"x": jnp.ones((4, 2)), "y": jnp.ones(3)}]), r"sizes \[3, 4\]"),
        (lambda: run((_reports(Aux({"m": jnp.ones(2)})),), SGD, 1, [toy.batch()]), "must be a scalar"),
        (lambda: run((_reports(Aux(vars={"q": {}})),), SGD, 1, [toy.batch()]), "brings the player 'q'"),
        (lambda: run((_reports(Aux(extras={"p": 1})),), SGD, 1, [toy.batch()]), "brings the extra 'p'"),
        (
            lambda: run(
                (Round(moves=(Move("g", lambda params, *rest: params["g"]["b"].sum()),)),), SGD, 1, [toy.batch()]
            ),
            r"the loss of 'g' must return \(scalar, Aux\)",
        ),
        (
            lambda: run(
                (Round(moves=(Move("g", lambda params, *rest: (params["g"]["b"], Aux())),)),), SGD, 1, [toy.batch()]
            ),
            r"the loss of 'g' must be a scalar",
        ),
        (lambda: run((toy.ROUND._replace(play=lambda *a: jnp.ones(2)),), SGD, 1, [toy.batch()]), "a play must return"),
        (lambda: init_state((toy.ROUND,), SGD, toy.params()), "variables of player 'g' must be"),
        (lambda: make_train_step((Round(moves=Move("g", toy.g_loss)),), SGD), "must be a tuple of Move"),
        (
            lambda: make_train_step((toy.ROUND,), SGD, ema={"g": Ema()})(
                init_state((toy.ROUND,), SGD, toy.variables()), toy.batch(), toy.RNG
            ),
            "give init_state the same ema",
        ),
        (lambda: make_train_step((Round(moves=(Move("extras", toy.d_loss),)),), SGD), "may not be named 'extras'"),
    ],
)
def test_a_mistake_is_one_sentence(change, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        change()
    assert "\n" not in str(caught.value)


def _reports(aux):
    return Round(moves=(Move("g", lambda params, *rest: (params["g"]["b"].sum(), aux)),))
