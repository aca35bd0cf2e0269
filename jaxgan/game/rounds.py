"""How a round is played: one play, then one optimiser update per move."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, Key

from jaxgan.errors import UserError
from jaxgan.game.random import example_keys
from jaxgan.game.state import Aux, Batch, Metrics, Move, Params, Round, Vars

RESERVED = ("extras", "frozen", "local", "step")  # entries of Vars that are no players


class Rules(NamedTuple):
    """What every round of a game shares.

    Frozen networks are here and not in `Table`, for a lazy round would have to copy what it carries.
    """

    optimizers: Mapping[str, optax.GradientTransformation]
    axis_name: str | None
    accumulate: int
    frozen: Mapping[str, Any] = {}


class Table(NamedTuple):
    """The part of the state that a round changes."""

    params: Params
    opt_states: dict[str, Any]
    vars: Vars


class Deal(NamedTuple):
    """What a round is played with: its key, its share of the batch, and the global rows of that share."""

    key: Key[Array, ""]
    batch: Batch
    rows: Int[Array, " b"]

    def keys(self, use: int) -> Key[Array, " b"]:
        """Keys of the examples; `use` is 0 for the play and 1 + i for move i."""
        return example_keys(jax.random.fold_in(self.key, use), self.rows)


Gradient: TypeAlias = Callable[[int, Move, Table], tuple[Any, Vars, Metrics]]
"""`(index, move, table) -> (this device's gradient, new vars, metrics)`."""


def split(tree: Any, parts: int) -> Any:
    """Cut every leaf `[n, ...]` into `[parts, n / parts, ...]`, strided: row r goes to part r % parts.

    Strides make a split of a device's shard the same as the shard of a split, so that no example changes device.
    """
    return jax.tree.map(lambda x: jnp.swapaxes(x.reshape(-1, parts, *x.shape[1:]), 0, 1), tree)


def sync(tree: Any, axis_name: str | None) -> Any:
    """Mean over devices of floating leaves and maximum of others; the tree itself without an axis.

    What plays and losses report must therefore be a mean over examples, or the same on all devices (a counter).
    """
    if axis_name is None:
        return tree

    def reduce(x: Array) -> Array:
        inexact = jnp.issubdtype(x.dtype, jnp.inexact)
        return jax.lax.pmean(x, axis_name) if inexact else jax.lax.pmax(x, axis_name)

    return jax.tree.map(reduce, tree)


def vary(tree: Any, axis_name: str | None) -> Any:
    """Declare replicated values to be each device's own, so that their gradients stay so until `sync`.

    Under shard_map the gradient of a replicated value is summed over devices by JAX itself; a mean taken after that
    would be too large by the number of devices. What is each device's own already (`local`) stays as it is.
    """

    def cast(x: Any) -> Any:
        return x if axis_name in jax.typeof(x).manual_axis_type.varying else jax.lax.pcast(x, axis_name, to="varying")

    return tree if axis_name is None else jax.tree.map(cast, tree)


def play_round(rules: Rules, round_: Round, key: Key[Array, ""], table: Table, batch: Batch) -> tuple[Table, Metrics]:
    """Play `round_` as often as it repeats.

    Args:
        rules: what all rounds share.
        round_: the round.
        key: the round's key at this step.
        table: the state to change.
        batch: `(batch, rows)`, cut into microbatches: leaves are `[cuts, b, ...]` with `cuts >= round_.repeat`.
    """

    def once(table: Table, cut: Any) -> tuple[Table, Metrics]:
        return _play_once(rules, round_, Deal(key, *cut), table)

    if round_.repeat == 1:
        return once(table, jax.tree.map(lambda x: x[0], batch))
    table, metrics = jax.lax.scan(once, table, jax.tree.map(lambda x: x[: round_.repeat], batch))
    return table, jax.tree.map(lambda x: x[-1], metrics)


def merge_metrics(*groups: Mapping[str, Array]) -> Metrics:
    """One dictionary of float32 scalars; a UserError when two groups use the same name or a metric is no scalar."""
    merged: Metrics = {}
    for group in groups:
        for name, value in group.items():
            if name in merged:
                raise UserError(f"two metrics of one step are named {name!r}; give one of the moves another `name`.")
            if jnp.shape(value):
                raise UserError(f"the metric {name!r} must be a scalar, got shape {jnp.shape(value)}.")
            merged[name] = jnp.asarray(value, jnp.float32)
    return merged


def _play_once(rules: Rules, round_: Round, deal: Deal, table: Table) -> tuple[Table, Metrics]:
    if rules.accumulate > 1 and not round_.moves:
        table, metrics = _play_only(rules, round_, deal, table)
        return table, sync(metrics, rules.axis_name)
    if rules.accumulate == 1:
        gradient, table, metrics = _shared_play(rules, round_, deal, table)
    else:
        gradient, metrics = _replay(rules, round_, deal, table.params), {}
    start = table.params
    for index, move in enumerate(round_.moves):
        seen = table._replace(params=start) if round_.simultaneous else table
        grads, new_vars, moved = gradient(index, move, seen)
        grads = sync(grads, rules.axis_name)
        table = _update(rules, move, jax.tree.map(lambda g: g * round_.every, grads), table._replace(vars=new_vars))
        metrics = merge_metrics(metrics, moved, {f"{move.label}/grad_norm": optax.tree.norm(grads)})
    return table, sync(metrics, rules.axis_name)


def _update(rules: Rules, move: Move, grads: Any, table: Table) -> Table:
    name = move.player
    updates, opt_state = rules.optimizers[name].update(grads, table.opt_states[name], table.params[name])
    params = optax.apply_updates(table.params[name], updates)
    return table._replace(params={**table.params, name: params}, opt_states={**table.opt_states, name: opt_state})


def _shared_play(rules: Rules, round_: Round, deal: Deal, table: Table) -> tuple[Gradient, Table, Metrics]:
    """Run the play once, linearised in its movers; each move adds the play's pull-back to its direct gradient.

    A play that does not depend on the mover pulls back zeros, and XLA removes the unused products.
    """
    params, collections = _seen(rules, table.params, table.vars)
    moving = {move.player: params[move.player] for move in round_.moves}

    def play(moving: Params) -> tuple[Any, Aux]:
        return _play(round_, {**params, **moving}, collections, deal)

    outcome, pull_back, played = jax.vjp(play, moving, has_aux=True)

    def gradient(index: int, move: Move, table: Table) -> tuple[Any, Vars, Metrics]:
        params, collections = _seen(rules, table.params, table.vars)

        def loss(own: Any, outcome: Any) -> tuple[Array, Aux]:
            seen = {**params, move.player: own}
            return _judge(move, seen, collections, outcome, deal.batch, deal.keys(1 + index))

        judged = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True, allow_int=True)
        (value, aux), (direct, cotangent) = judged(params[move.player], outcome)
        through_play = pull_back(cotangent)[0][move.player]
        grads = jax.tree.map(jnp.add, direct, through_play)
        metrics = merge_metrics({f"{move.label}/loss": value}, aux.metrics)
        return grads, _absorb(table.vars, aux, rules.axis_name), metrics

    table = table._replace(vars=_absorb(table.vars, played, rules.axis_name))
    return gradient, table, merge_metrics(played.metrics)


def _replay(rules: Rules, round_: Round, deal: Deal, start: Params) -> Gradient:
    """Gradients that are means over microbatches; every move plays again on each, so that memory stays that of one.

    The play is always that of the parameters at the `start` of the round, as if it had been shared.
    """
    cuts = split((deal.batch, deal.rows), rules.accumulate)

    def gradient(index: int, move: Move, table: Table) -> tuple[Any, Vars, Metrics]:
        def one(carry: tuple[Vars, Any], cut: Any) -> tuple[tuple[Vars, Any], Metrics]:
            seen, total = carry
            part = Deal(deal.key, *cut)
            before = vary(start, rules.axis_name)
            params, collections = _seen(rules, table.params, seen)

            def loss(own_play: Any, own: Any) -> tuple[Array, tuple[Aux, Aux]]:
                outcome, played = _play(round_, {**before, move.player: own_play}, collections, part)
                after = _absorb(collections, played, None)
                judging = {**params, move.player: own}
                value, aux = _judge(move, judging, after, outcome, part.batch, part.keys(1 + index))
                return value, (played, aux)

            judged = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)
            (value, (played, aux)), (through_play, direct) = judged(before[move.player], params[move.player])
            grads = jax.tree.map(jnp.add, direct, through_play)
            # The first move reports the play and keeps its collections; later moves only repeat it.
            reported = (played, aux) if index == 0 else (aux,)
            for report in reported:
                seen = _absorb(seen, report, rules.axis_name)
            metrics = merge_metrics({f"{move.label}/loss": value}, *(report.metrics for report in reported))
            return (seen, jax.tree.map(jnp.add, total, grads)), metrics

        zeros = vary(jax.tree.map(jnp.zeros_like, table.params[move.player]), rules.axis_name)
        (seen, total), metrics = jax.lax.scan(one, (table.vars, zeros), cuts)
        mean = jax.tree.map(lambda g: g / rules.accumulate, total)
        return mean, seen, jax.tree.map(lambda m: m.mean(0), metrics)

    return gradient


def _play_only(rules: Rules, round_: Round, deal: Deal, table: Table) -> tuple[Table, Metrics]:
    """A round without moves: what its play reports, one microbatch after the other."""

    def one(collections: Vars, cut: Any) -> tuple[Vars, Metrics]:
        params, seen = _seen(rules, table.params, collections)
        _, played = _play(round_, params, seen, Deal(deal.key, *cut))
        return _absorb(collections, played, rules.axis_name), merge_metrics(played.metrics)

    collections, metrics = jax.lax.scan(one, table.vars, split((deal.batch, deal.rows), rules.accumulate))
    return table._replace(vars=collections), jax.tree.map(lambda m: m.mean(0), metrics)


def _seen(rules: Rules, params: Params, collections: Vars) -> tuple[Params, Vars]:
    """`params` and `vars` as plays and losses get them."""
    return vary((params, {**collections, "frozen": dict(rules.frozen)}), rules.axis_name)


def _play(round_: Round, params: Params, collections: Vars, deal: Deal) -> tuple[Any, Aux]:
    if round_.play is None:
        return None, Aux()
    return _pair("a play", "(outcome, Aux)", round_.play(params, collections, deal.batch, deal.keys(0)))


def _judge(
    move: Move, params: Params, collections: Vars, outcome: Any, batch: Batch, rng: Key[Array, " b"]
) -> tuple[Array, Aux]:
    result = move.loss(params, collections, outcome, batch, rng)
    value, aux = _pair(f"the loss of {move.label!r}", "(scalar, Aux)", result)
    if jnp.shape(value):
        raise UserError(f"the loss of {move.label!r} must be a scalar (take a mean), got shape {jnp.shape(value)}.")
    return value, aux


def _pair(what: str, wanted: str, result: Any) -> tuple[Any, Aux]:
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], Aux):
        return result
    raise UserError(f"{what} must return {wanted}, where Aux() reports nothing; got {type(result).__name__}.")


def _absorb(collections: Vars, aux: Aux, axis_name: str | None) -> Vars:
    """The collections with what `aux` brings, made equal on all devices but for `local`."""
    _check_names("player", aux.vars, set(collections) - set(RESERVED), "players")
    _check_names("extra", aux.extras, set(collections["extras"]), "init_state(extras=...)")
    _check_names("local entry", aux.local, set(collections["local"]), "init_state(local=...)")
    _check_rows(collections["local"], aux.local)
    updated = {name: {**collections[name], **sync(new, axis_name)} for name, new in aux.vars.items()}
    extras = {**collections["extras"], **sync(dict(aux.extras), axis_name)}
    local = {**collections["local"], **vary(dict(aux.local), axis_name)}
    return {**collections, **updated, "extras": extras, "local": local}


def _check_rows(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    for name in new:
        had, brought = (jax.tree.map(_shape, each[name]) for each in (old, new))
        if had != brought:
            raise UserError(f"Aux brings the local entry {name!r} as {brought}, but the state has {had}.")


def _shape(x: Any) -> str:
    return f"{jnp.result_type(x)}{list(jnp.shape(x))}"


def _check_names(kind: str, given: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise UserError(f"Aux brings the {kind} {name!r}, but {where} has {sorted(known) or 'none'}.")
