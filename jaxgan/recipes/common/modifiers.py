"""What modifies the losses of a game between a generator and a discriminator: packs, several critics, a look ahead."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import optax
from jaxtyping import Array, Key

from jaxgan.game import Aux, LossFn
from jaxgan.game.unroll import unroll
from jaxgan.losses.batches import pack
from jaxgan.losses.critics import several_critics
from jaxgan.recipes.common.wiring import Judge, critic_names


def packed(loss: LossFn, packing: int, made: str = "image") -> LossFn:
    """The loss of a D that judges packs of images, as for `losses.batches.pack`.

    Args:
        loss: of packs.
        packing: images a pack; 1 leaves the loss as it is.
        made: the field that G makes and D judges.
    """

    def of_packs(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Key[Array, " b"]) -> tuple[Array, Aux]:
        packs = {**batch, made: pack(batch[made], packing)}
        return loss(params, vars, pack(x_fake, packing), packs, rng[::packing])

    return loss if packing == 1 else of_packs


def judges_of(judge: Judge, critics: int) -> list[Judge]:
    """The judge of each of several critics that D is made of (`wire(critics=...)`); the judge itself of one."""
    return [_of_critic(judge, name) for name in critic_names(critics)] if critics > 1 else [judge]


def _of_critic(judge: Judge, name: str) -> Judge:
    def judge_of_one(params: Any, vars: Any, x: Array, given: Any, rng: Array) -> tuple[Any, Any]:
        own = {kind: each[name] for kind, each in vars["d"].items()}
        logits, own = judge({**params, "d": params["d"][name]}, {**vars, "d": own}, x, given, rng)
        return logits, {kind: {**each, name: own[kind]} for kind, each in vars["d"].items()}

    return judge_of_one


def together(losses: Sequence[LossFn]) -> LossFn:
    """D's loss where it is several critics, each with its own: their sum, and the means of what they report."""

    def loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        values, reports = [], []
        for of_one in losses:
            value, aux = of_one(params, vars, x_fake, batch, rng)
            vars = {**vars, **aux.vars}
            values.append(value)
            reports.append(aux.metrics)
        metrics = {name: jnp.stack([report[name] for report in reports]).mean() for name in reports[0]}
        return jnp.stack(values).sum(), Aux(metrics, vars={"d": vars["d"]})

    return losses[0] if len(losses) == 1 else loss


def against(losses: Sequence[LossFn], axis_name: str | None) -> LossFn:
    """G's loss against several critics: their mean, weighted by softmax(loss), as for `several_critics`."""

    def loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        values = [of_one(params, vars, x_fake, batch, rng)[0][None] for of_one in losses]
        return several_critics(values, axis_name=axis_name)[0], Aux()

    return losses[0] if len(losses) == 1 else loss


def unrolled(
    d_loss: LossFn, g_loss: LossFn, steps: int, optimizer: optax.GradientTransformation, axis_name: str | None
) -> LossFn:
    """G's loss against the D that answers it, `steps` updates later: unrolled GANs, as for `game.unroll.unroll`.

    Args:
        d_loss: what D minimises.
        g_loss: what G minimises against a D that stands still.
        steps: updates of D that G looks ahead; 0 leaves the loss as it is.
        optimizer: of these updates; it starts afresh, and Adam takes an `eps_root`.
        axis_name: as for `make_train_step`.
    """

    def loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        def of_d(d: Any) -> Array:
            return d_loss({**params, "d": d}, vars, x_fake, batch, rng)[0]

        answer = unroll(of_d, params["d"], optimizer, steps, axis_name)
        return g_loss({**params, "d": answer}, vars, x_fake, batch, rng)

    return loss if steps else g_loss
