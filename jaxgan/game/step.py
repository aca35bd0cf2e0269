"""From a table of rounds to a training step, and the state it starts from."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, Key

from jaxgan.errors import UserError
from jaxgan.game.ema import Ema, average, check_ema, decay
from jaxgan.game.random import check_key, global_rows
from jaxgan.game.rounds import RESERVED, Rules, Table, merge_metrics, play_round, split
from jaxgan.game.state import Batch, GameState, Metrics, Move, PlayerState, Round, StepFn

Optimizers = Mapping[str, optax.GradientTransformation]


def make_train_step(
    rounds: Sequence[Round],
    optimizers: Optimizers,
    *,
    ema: Mapping[str, Ema] | None = None,
    axis_name: str | None = None,
    accumulate: int = 1,
) -> StepFn:
    """A pure function `(state, batch, rng) -> (state, metrics)` that plays `rounds` in order.

    Args:
        rounds: the game. `moves` of a round share one play.
        optimizers: an Optax transformation for each player that moves.
        ema: players whose parameters are averaged after the step, and how.
        axis_name: the mapped axis under `pmap` and `shard_map`; None under `jit`, sharded or not.
        accumulate: each move's gradient is the mean over this many microbatches, to save memory.

    Neither `repeat` nor `accumulate` cuts `GameState.local`: a play sees all rows of its device each time, as the time
    before has left them. Moves after the first play their round again under `accumulate` and do not report it again.

    Returns:
        The step. `batch` is a pytree whose leaves share their leading axis: the examples, n times as many as one
        critic step uses where n is the largest `repeat`; a round that repeats k times uses the rows r with r % n < k.
        `rng` is the run's key, the same at every step. Metrics are float32 scalars: what the losses report,
        and `name/loss` and `name/grad_norm` for each move.

    Raises:
        UserError: a player without optimiser, a metric named twice, a number that must be positive, a batch whose
            size the microbatches do not divide.
    """
    _check_game(rounds, optimizers, ema or {}, accumulate)
    shared = Rules(optimizers, axis_name, accumulate)
    averages = {name: check_ema(rule) for name, rule in (ema or {}).items()}
    cuts = microbatches(rounds)

    def step(state: GameState, batch: Batch, rng: Key[Array, ""]) -> tuple[GameState, Metrics]:
        check_key(rng)
        size = _check_batch(batch, cuts * accumulate)
        dealt = split((batch, global_rows(size, axis_name)), cuts)
        key = jax.random.fold_in(rng, state.step)
        rules = shared._replace(frozen=state.frozen)
        table, held, metrics = _table(state), {}, {}
        for index, round_ in enumerate(rounds):
            round_key = jax.random.fold_in(key, index)
            if round_.every == 1:
                table, reported = play_round(rules, round_, round_key, table, dealt)
            else:
                name = _held_name(index)
                table, reported = _play_lazily(rules, round_, round_key, table, dealt, state.held[name], state.step)
                held[name] = reported
            metrics = merge_metrics(metrics, reported)
        return averaged(_next_state(state, table, held), averages, size // cuts, axis_name), metrics

    return step


def init_state(
    rounds: Sequence[Round],
    optimizers: Optimizers,
    variables: Mapping[str, Mapping[str, Any]],
    *,
    ema: Mapping[str, Ema] | None = None,
    extras: Mapping[str, Any] | None = None,
    local: Mapping[str, Any] | None = None,
    frozen: Mapping[str, Any] | None = None,
    batch: Batch = None,
    axis_name: str | None = None,
) -> GameState:
    """The state before the first step.

    Args:
        rounds: as for `make_train_step`.
        optimizers: as for `make_train_step`.
        variables: for each player what its network's `init` returns: `{"params": ..., "batch_stats": ..., ...}`;
            arrays or numbers, which the state copies.
        ema: as for `make_train_step`.
        extras: further arrays that losses read and update.
        local: pytrees of `[rows, ...]`, of which each device has rows of its own; the rows of all devices.
        frozen: networks that never move: pytrees of arrays, which the state copies; or of shapes
            (`jax.ShapeDtypeStruct`) where the arrays come later, by `with_frozen`: lazy rounds need to know them.
        batch: the shapes of a batch (arrays or `jax.ShapeDtypeStruct`); needed by games with lazy rounds only, whose
            metrics the state holds.
        axis_name: as for `make_train_step`.
    """
    _check_game(rounds, optimizers, ema or {}, 1)
    _check_players(set(variables))
    _check_local(local or {})
    if missing := {move.player for round_ in rounds for move in round_.moves} - set(variables):
        raise UserError(f"variables must have every player that moves; missing: {', '.join(sorted(missing))}.")
    players = {name: _player(name, given, optimizers, ema or {}) for name, given in variables.items()}
    state = GameState(jnp.zeros((), jnp.int32), players, _own(dict(extras or {})), {}, _own(dict(local or {})))
    rules = Rules(optimizers, None, 1, dict(frozen or {}))
    later = any(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(rules.frozen))
    held = _hold(rounds, rules, state, batch, axis_name)
    return dataclasses.replace(state, held=held, frozen={} if later else _own(rules.frozen))


def microbatches(rounds: Sequence[Round]) -> int:
    """How many microbatches a batch carries: the largest `repeat`."""
    return max(round_.repeat for round_ in rounds)


def averaged(state: GameState, rules: Mapping[str, Ema], size: int, axis_name: str | None) -> GameState:
    """The state after a step, with the players' moving averages brought up to date.

    Args:
        state: has taken its step.
        rules: how players are averaged, checked.
        size: images of one microbatch on this device.
        axis_name: as for `make_train_step`.
    """
    images = size * (1 if axis_name is None else jax.lax.axis_size(axis_name))
    players = dict(state.players)
    for name, rule in rules.items():
        player = players[name]
        if player.ema is None:
            raise UserError(f"the step averages player {name!r}; give init_state the same ema=...")
        ema = average(player.ema, player.params, decay(rule, state.step - 1, images))
        players[name] = dataclasses.replace(player, ema=ema)
    return dataclasses.replace(state, players=players)


def _player(name: str, variables: Mapping[str, Any], optimizers: Optimizers, ema: Mapping[str, Ema]) -> PlayerState:
    if not isinstance(variables, Mapping) or "params" not in variables:
        raise UserError(f"variables of player {name!r} must be {{'params': ..., ...}}, as Flax's init returns them.")
    params = _own(variables["params"])
    collections = {key: _own(value) for key, value in variables.items() if key != "params"}
    opt_state = optimizers[name].init(params) if name in optimizers else None
    return PlayerState(params, collections, opt_state, _own(params) if name in ema else None)


def _own(tree: Any) -> Any:
    """Arrays of the state's own, so that donating it deletes nothing of the caller's and no buffer twice."""
    # With its type named, a Python number becomes an array that promotes as arrays do.
    return jax.tree.map(lambda x: jnp.array(x, jnp.result_type(x)), tree)


def _table(state: GameState) -> Table:
    players = state.players
    return Table(
        params={name: player.params for name, player in players.items()},
        opt_states={name: player.opt_state for name, player in players.items()},
        vars={
            **{name: player.vars for name, player in players.items()},
            "extras": state.extras,
            "local": state.local,
            "step": state.step,
        },
    )


def _play_lazily(
    rules: Rules,
    round_: Round,
    key: Key[Array, ""],
    table: Table,
    dealt: Any,
    held: Metrics,
    step: Int[Array, ""],
) -> tuple[Table, Metrics]:
    return jax.lax.cond(
        step % round_.every == 0,
        lambda table: play_round(rules, round_, key, table, dealt),
        lambda table: (table, held),
        table,
    )


def _next_state(state: GameState, table: Table, held: dict[str, Metrics]) -> GameState:
    players = {
        name: PlayerState(table.params[name], table.vars[name], table.opt_states[name], old.ema)
        for name, old in state.players.items()
    }
    return GameState(state.step + 1, players, table.vars["extras"], held, table.vars["local"], state.frozen)


def _hold(
    rounds: Sequence[Round], rules: Rules, state: GameState, batch: Batch, axis_name: str | None
) -> dict[str, Metrics]:
    """Zeros for every metric of every lazy round, found by abstract evaluation; step 0 replaces them all."""
    lazy = {index: round_ for index, round_ in enumerate(rounds) if round_.every > 1}
    if lazy and batch is None:
        raise UserError("a game with a lazy round (every > 1) needs init_state(batch=...), the shapes of a batch.")

    def report(round_: Round, batch: Batch, frozen: Mapping[str, Any]) -> Metrics:
        size = _check_batch(batch, 1)
        dealt = split((batch, global_rows(size, None)), microbatches(rounds))
        seeing = rules._replace(frozen=frozen)
        return play_round(seeing, round_, jax.random.key(0), _table(state), dealt)[1]

    held = {}
    for index, round_ in lazy.items():
        # Networks with cross-replica statistics want the axis to exist; one virtual device is enough.
        abstract = jax.tree.map(lambda x: jax.ShapeDtypeStruct((1, *x.shape), x.dtype), batch)
        play = functools.partial(report, round_)
        names = jax.eval_shape(jax.vmap(play, (0, None), axis_name=axis_name or "one"), abstract, rules.frozen)
        held[_held_name(index)] = {name: jnp.zeros((), jnp.float32) for name in names}
    return held


def _held_name(index: int) -> str:
    return f"round_{index}"


def _check_batch(batch: Batch, parts: int) -> int:
    sizes = {leaf.shape[0] if leaf.ndim else 0 for leaf in jax.tree.leaves(batch)}
    if len(sizes) != 1 or 0 in sizes:
        raise UserError(f"all leaves of a batch must share their leading axis, got sizes {sorted(sizes) or 'none'}.")
    (size,) = sizes
    if size % parts:
        raise UserError(f"a batch on one device must be a multiple of {parts} (repeat x accumulate), got {size}.")
    return size


def _check_players(names: set[str]) -> None:
    for name in sorted(names & set(RESERVED)):
        raise UserError(f"a player may not be named {name!r}: vars[{name!r}] holds the state's {name}.")


def _check_local(local: Mapping[str, Any]) -> None:
    for name, tree in local.items():
        if not all(jnp.ndim(leaf) for leaf in jax.tree.leaves(tree)):
            raise UserError(f"every array of the local entry {name!r} must have rows as its first axis, got a scalar.")


def _check_game(rounds: Sequence[Round], optimizers: Optimizers, ema: Mapping[str, Ema], accumulate: int) -> None:
    if not all(isinstance(move, Move) for round_ in rounds for move in round_.moves):
        raise UserError("the moves of a Round must be a tuple of Move; one move is written (Move(...),).")
    moves = [move for round_ in rounds for move in round_.moves]
    if not moves:
        raise UserError("a game needs at least one round with at least one move.")
    players = {move.player for move in moves}
    _check_players(players)
    if missing := players - set(optimizers):
        raise UserError(f"every player that moves needs an optimiser; missing: {', '.join(sorted(missing))}.")
    if unknown := set(ema) - players:
        raise UserError(f"ema names {', '.join(sorted(unknown))}, but the players that move are {sorted(players)}.")
    counts = {"accumulate": accumulate} | {
        f"{field} of round {i}": getattr(r, field) for i, r in enumerate(rounds) for field in ("every", "repeat")
    }
    for name, count in counts.items():
        if count < 1:
            raise UserError(f"{name} must be at least 1, got {count}.")
