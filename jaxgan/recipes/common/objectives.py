"""What a generator and a discriminator minimise."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import jax
from jaxtyping import Array, Float, Key

from jaxgan.game import Aux, LossFn
from jaxgan.game.random import Stream
from jaxgan.game.schedules import Schedule
from jaxgan.losses import adversarial
from jaxgan.losses.adversarial import AdversarialLoss
from jaxgan.losses.batches import top_k_weights
from jaxgan.losses.labels import exchange_labels
from jaxgan.losses.reduce import example_means
from jaxgan.recipes.common.wiring import Judge

Penalty: TypeAlias = Callable[..., Float[Array, "b"]]
"""`(critic, x_real, x_fake, rng, step) -> [b]`, weighted; `critic` maps examples to logits."""


def objectives(
    judge: Judge,
    loss: AdversarialLoss,
    penalty: Penalty | None = None,
    *,
    label_noise: float = 0.0,
    top_k: Schedule | None = None,
    made: str = "image",
    axis_name: str | None = None,
) -> tuple[LossFn, LossFn]:
    """The losses of both players: D minimises E[loss.d] + E[penalty], G minimises E[loss.g].

    Real and fake images pass D in separate batches, so that batch statistics are of one kind each.

    Args:
        judge: from `wire`.
        loss: the game.
        penalty: added to D's loss and reported as `penalty`.
        label_noise: probability that a label which D sees is wrong, as for `exchange_labels`.
        top_k: share of the fakes that G learns from, those that look most real, as for `top_k_weights`; a schedule.
        made: the field that G makes and D judges.
        axis_name: as for `make_train_step`; read by `top_k`.
    """

    def d_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        real_rng, fake_rng = passes(rng, 2)
        real_logits, d_vars = judge(params, vars, batch[made], batch, real_rng)
        fake_logits, d_vars = judge(params, {**vars, "d": d_vars}, x_fake, batch, fake_rng)
        board = adversarial.scoreboard(real_logits, fake_logits, loss.boundary)
        if label_noise:
            swaps = jax.vmap(partial(jax.random.fold_in, data=Stream.LABEL))(rng)
            real_logits, fake_logits = exchange_labels(swaps, real_logits, fake_logits, label_noise)
        value = adversarial.mean(loss.d(real_logits, fake_logits))
        if penalty:
            extra, _ = penalised(judge, penalty, made)(params, vars, x_fake, batch, rng)
            value, board = value + extra, {**board, "penalty": extra}
        return value, Aux(board, vars={"d": d_vars})

    def g_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        fake_rng, real_rng = passes(rng, 2)
        fake_logits, _ = judge(params, vars, x_fake, batch, fake_rng)
        # A relativistic generator lowers the real images against its own.
        others = (judge(params, vars, batch[made], batch, real_rng)[0],) if loss.relative else ()
        losses = loss.g(fake_logits, *others)
        if top_k:
            losses = example_means(losses) * top_k_weights(fake_logits, top_k(vars["step"]), axis_name)
        return adversarial.mean(losses), Aux()

    return d_loss, g_loss


def passes(rng: Key[Array, " b"], n: int) -> list[Key[Array, " b"]]:
    """Keys for n passes of a network whose noise shall differ, one for each example of each pass."""
    return [jax.vmap(partial(jax.random.fold_in, data=Stream.PASS + i))(rng) for i in range(n)]


def penalised(judge: Judge, penalty: Penalty, made: str = "image") -> LossFn:
    """E[penalty] of D as a function of examples, as a loss of its own."""

    def loss(params: Any, vars: Any, x_fake: Array | None, batch: Any, rng: Array) -> tuple[Array, Aux]:
        critic = lambda x: judge(params, vars, x, batch, rng)[0]  # noqa: E731
        return penalty(critic, batch[made], x_fake, rng, vars["step"]).mean(), Aux()

    return loss
