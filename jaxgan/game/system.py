"""What a recipe returns: the game, what it takes, and what the trained system does for users."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from jaxtyping import Array, Key

from jaxgan.errors import UserError
from jaxgan.fields import Field, Spec
from jaxgan.game.random import check_keys
from jaxgan.game.state import GameState, StepFn


@dataclasses.dataclass(frozen=True, eq=False)  # compared by identity, so that `jax.jit(verb)` can remember it
class Verb:
    """Something that a trained system does for users: sample, translate, fill, encode, rollout ...

    Attributes:
        run: `(state, given, keys [n]) -> made`, batches by field name in the units that networks see. Pure, and the
            made example i depends on the given example i and on key i only.
        makes: the fields made.
        given: the fields taken: of the user, or of rows of the data.
        truth: made fields of which the right answer is the same row of the data.
    """

    run: Callable[[GameState, dict[str, Array], Key[Array, " n"]], dict[str, Array]]
    makes: Spec
    given: Mapping[str, Field] = dataclasses.field(default_factory=dict)
    truth: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line: names, no functions."""
        return f"Verb(given={list(self.given)}, makes={list(self.makes)}, truth={list(self.truth)})"

    def __call__(self, state: GameState, given: Mapping[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        """What `run` makes; a UserError names fields that it takes and was not given."""
        if missing := [name for name in self.given if name not in given]:
            raise UserError(
                f"this verb takes {', '.join(self.given)}, one for each example; missing: {', '.join(missing)}."
            )
        check_keys(keys)
        return self.run(state, {name: given[name] for name in self.given}, keys)


class Derived(NamedTuple):
    """A field that verbs are given and the data need not have, for it is made of one that the data have.

    Attributes:
        field: with all sides known.
        of: the name of the data's field.
        make: one example of that field, as it is stored, to one of this field, as it is stored; always the same.
    """

    field: Field
    of: str
    make: Callable[[Any], Any]


class Show(NamedTuple):
    """A preview.

    Attributes:
        verb: the name of the verb that it shows.
        layout: "grid" of what is made; or "sheet", a row an example: given, made, truth.
    """

    verb: str
    layout: Literal["grid", "sheet"] = "grid"


class Duel(NamedTuple):
    """Who plays whom: for the monitor, the progress line and the summary.

    Attributes:
        maker: the moves (or player) that make examples.
        judge: the moves (or player) that judge them.
        board: prefix of the scoreboard's metrics, such as "ab/".
        critic: whether the judge's logits are log-odds, or measure a distance and mean nothing by themselves.
    """

    maker: str = "g"
    judge: str = "d"
    board: str = ""
    critic: Literal["odds", "distance"] = "odds"


class Goal(NamedTuple):
    """The system's own number by which `--eval-every` keeps the best state.

    Attributes:
        name: a metric of the step, read at that step; or a made field of kind number, of which the mean is taken.
        better: which numbers are better.
    """

    name: str
    better: Literal["lower", "higher"] = "lower"


class System(NamedTuple):
    """What a recipe returns, and all that training, previews, commands and evaluation know of it.

    Attributes:
        init: `key -> state`.
        step: `(state, batch, key) -> (state, metrics)`; `key` is the run's, the same at every step.
        config: the recipe's configuration.
        batch: the fields that `step` takes, as networks see them.
        verbs: what the system does for users, by name.
        shows: what a run previews.
        duels: who plays whom; () for a system without a game between a maker and a judge.
        cures: finding of the monitor -> what usually helps and can be done with this configuration.
        goal: the number by which the best state is kept; None for the Fréchet distance.
        frozen: loads networks that never move, for `GameState.frozen`; None for none.
        microbatches: a batch has `config.batch_size * microbatches` examples (critic steps take several).
        derives: fields by name that verbs are given of rows of the data and the data need not have.
    """

    init: Callable[[Key[Array, ""]], GameState]
    step: StepFn
    config: Any
    batch: Spec
    verbs: Mapping[str, Verb] = {}
    shows: tuple[Show, ...] = ()
    duels: tuple[Duel, ...] = ()
    cures: Mapping[str, tuple[str, ...]] = {}
    goal: Goal | None = None
    frozen: Callable[[], Mapping[str, Any]] | None = None
    microbatches: int = 1
    derives: Mapping[str, Derived] = {}

    def verb(self, name: str) -> Verb:
        """The verb of this name; UserError lists those that there are."""
        if name not in self.verbs:
            raise UserError(f"this system has no verb {name!r}; it has {', '.join(self.verbs) or 'none'}.")
        return self.verbs[name]

    def __repr__(self) -> str:
        """One line: a configuration and names, no functions."""
        names = f"batch={list(self.batch)}, verbs={list(self.verbs)}"
        return f"System({type(self.config).__name__}, {names}, microbatches={self.microbatches})"


class Stage(NamedTuple):
    """A part of a run that has a system of its own: pixels before the adversary, small pictures before larger ones.

    A recipe's `stages(config)` returns them in order. A stage begins as a resume would, from the checkpoint in which
    the stage before it ended; `state.step`, which schedules read, counts from its own beginning.

    Attributes:
        name: by which checkpoints know it.
        build: its system, `(config, spec, axis_name) -> System`.
        until: the step of the run after which it ends; None for the last stage, which ends with the run.
        begin: `(last state of the stage before, fresh state) -> state`; None for `by_path`.
    """

    name: str
    build: Callable[[Any, Spec, str | None], System]
    until: int | None = None
    begin: Callable[[GameState, GameState], GameState] | None = None
