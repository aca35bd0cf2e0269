"""The words of the game: moves and rounds, and the state that a training step maps to its successor."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import flax.struct
import jax
from jaxtyping import Array, Float, Key

Params: TypeAlias = dict[str, Any]  # player -> parameters, any pytree
# player -> mutable collections; "extras", "local", "frozen" and "step" -> what GameState has by these names
Vars: TypeAlias = dict[str, Any]
Metrics: TypeAlias = dict[str, Array]  # name -> float scalar
Batch: TypeAlias = Any  # a pytree whose leaves share their leading axis


class Aux(NamedTuple):
    """What a play or a loss reports besides its result.

    Everything reported but `local` is a mean over the examples, never a sum, or does not depend on them: over devices
    it is averaged (integers: the largest), over the microbatches of `accumulate` metrics are averaged and the rest is
    updated once for each.

    Attributes:
        metrics: scalars to log, by name.
        vars: new mutable collections, by player; a player that is absent keeps what it had.
        extras: new entries of `GameState.extras`, by name.
        local: new entries of `GameState.local`, by name, of the shapes and dtypes that they had. A device keeps what
            it reports.
    """

    metrics: Mapping[str, Array] = {}
    vars: Mapping[str, Any] = {}
    extras: Mapping[str, Any] = {}
    local: Mapping[str, Any] = {}


PlayFn: TypeAlias = Callable[[Params, Vars, Batch, Array], tuple[Any, Aux]]
"""`(params, vars, batch, rng) -> (outcome, aux)`; `rng` is an array of keys, one an example."""

LossFn: TypeAlias = Callable[[Params, Vars, Any, Batch, Array], tuple[Float[Array, ""], Aux]]
"""`(params, vars, outcome, batch, rng) -> (loss, aux)`, with every player's parameters in `params`."""


class Move(NamedTuple):
    """One optimiser update of one player against its own loss.

    Attributes:
        player: whose parameters move. Only they are differentiated.
        loss: the player's loss, given the outcome of the round's play.
        name: prefix of the move's metrics; the player's name unless given. A player's second move needs one.
    """

    player: str
    loss: LossFn
    name: str | None = None

    @property
    def label(self) -> str:
        """The prefix of this move's metrics."""
        return self.name or self.player


class Round(NamedTuple):
    """The networks play once, then each listed player moves, in order.

    Attributes:
        moves: the updates. A later move sees the parameters that earlier moves have left. A round without moves plays
            only: a play that rolls environments on, and leaves what happened in `GameState.local` for later rounds.
        play: makes the outcome that the losses judge; without one the outcome is None.
        every: lazy regularisation: the round is played at steps 0, every, 2 every, ...; gradients are scaled by it.
        repeat: the round is played this many times a step, each time on another microbatch of the batch; the metrics
            are those of the last time.
        simultaneous: every move sees the parameters with which the round began, as in analyses of gradient descent and
            in extragradient steps. By default the moves alternate.

    All moves share the play of the parameters with which the round began; a player whose second move needs a fresh play
    makes it in a second round.
    """

    moves: tuple[Move, ...] = ()
    play: PlayFn | None = None
    every: int = 1
    repeat: int = 1
    simultaneous: bool = False


@flax.struct.dataclass
class PlayerState:
    """A player: parameters, mutable collections, optimiser state, and moving average of the parameters (or None)."""

    params: Any
    vars: Any
    opt_state: Any
    ema: Any = None

    def __repr__(self) -> str:
        """One line: arrays are many."""
        return f"PlayerState({parameter_count(self.params):,} parameters, collections {list(self.vars)})"

    def variables(self, averaged: bool = False) -> dict[str, Any]:
        """Flax variables of this player; with `averaged`, those of its moving average where it keeps one.

        Collections (batch statistics) belong to both: they are copied into the average, never averaged themselves.
        """
        params = self.ema if averaged and self.ema is not None else self.params
        return {"params": params, **self.vars}


@flax.struct.dataclass
class GameState:
    """Everything a run must remember; arrays only.

    Attributes:
        step: steps taken so far, int32.
        players: the players by name.
        extras: further state that plays and losses read (as `vars["extras"]`) and update (by `Aux.extras`).
        held: the last metrics of the lazy rounds, reported again while those are skipped.
        local: state of which every device has rows of its own (pools of past fakes, environments, replay): pytrees by
            name, whose leaves are `[rows, ...]`, split over devices as a batch is. Plays and losses read it as
            `vars["local"]`, all rows of their device, and update it by `Aux.local`. It is never averaged.
        frozen: networks that never move (feature networks, text encoders, teachers): pytrees by name, the same on all
            devices, read as `vars["frozen"]`. A step returns them as they were. Checkpoints are made `without_frozen`.
    """

    step: Any  # an array, an abstract one, or under vmap a stack of them
    players: dict[str, PlayerState]
    extras: dict[str, Any]
    held: dict[str, dict[str, Any]]
    local: dict[str, Any] = dataclasses.field(default_factory=dict)
    frozen: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __repr__(self) -> str:
        """One line: arrays are many."""
        players = ", ".join(f"{name} {parameter_count(player.params):,}" for name, player in self.players.items())
        return f"GameState(step {self.step}, parameters: {players})"


StepFn: TypeAlias = Callable[[GameState, Batch, Key[Array, ""]], tuple[GameState, Metrics]]


def variables(params: Params, collections: Vars, player: str) -> dict[str, Any]:
    """Flax variables of `player`, as `Module.apply` takes them."""
    return {"params": params[player], **collections[player]}


def without_frozen(state: GameState) -> GameState:
    """The state less its frozen networks: what a checkpoint holds."""
    return dataclasses.replace(state, frozen={})


def with_frozen(state: GameState, frozen: Mapping[str, Any]) -> GameState:
    """The state with these frozen networks, such as `System.frozen` loads.

    Their arrays become the state's own: a step that is given the state to reuse its memory takes theirs too.
    """
    return dataclasses.replace(state, frozen=dict(frozen))


def parameter_count(tree: Any) -> int:
    """Number of scalars in a pytree of arrays or abstract arrays."""
    return sum(leaf.size for leaf in jax.tree.leaves(tree))
