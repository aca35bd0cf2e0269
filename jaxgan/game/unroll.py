"""The opponent as it will be after a few steps, differentiably.

Metz, Poole, Pfau and Sohl-Dickstein 2017, "Unrolled Generative Adversarial Networks" (arXiv:1611.02163).
"""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import jax
import optax
from jax.core import Tracer
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.game.rounds import sync


def unroll(
    loss: Callable[[Any], Float[Array, ""]],
    params: Any,
    optimizer: float | Array | optax.GradientTransformation,
    steps: int,
    axis_name: str | None = None,
) -> Any:
    """The opponent's parameters after `steps` updates against `loss`, as a function of all that `loss` depends on.

    Section 2.3 of the paper. In the generator's loss, judge its fakes by what the discriminator will have become:

        def g_loss(params, vars, x_fake, batch, rng):
            answer = unroll(lambda d: d_loss_of(d, batch["x"], x_fake), params["d"], 0.1, steps=5)
            return non_saturating(judge(answer, x_fake)).mean(), Aux()

    Its gradient reaches the generator through `x_fake` in both places. The discriminator itself does not move.

    Args:
        loss: of the opponent's parameters.
        params: where the opponent stands.
        optimizer: the rate of plain gradient descent, or an Optax transformation, which starts afresh. Adam needs an
            `eps_root` above 0: without, the slope of its root is infinite where a gradient is 0.
        steps: how many; 0 is the game without unrolling.
        axis_name: the mapped axis whose devices share the batch, as for `make_train_step`.

    Returns:
        Parameters like `params`.

    Raises:
        UserError: no whole number of steps, or a rate that is not above 0.
    """
    if not isinstance(steps, Integral) or steps < 0:
        raise UserError(f"unrolling takes a whole number of at least 0 steps, got {steps}.")
    rule = _rule(optimizer)

    def update(carry: tuple[Any, Any], _: None = None) -> tuple[tuple[Any, Any], None]:
        params, opt_state = carry
        updates, opt_state = rule.update(sync(jax.grad(loss)(params), axis_name), opt_state, params)
        return (optax.apply_updates(params, updates), opt_state), None

    if not steps:
        return params
    # The first step stands outside the loop: under shard_map it makes the fresh optimiser state vary over devices
    # wherever the later ones will.
    first, _ = update((params, rule.init(params)))
    (params, _), _ = jax.lax.scan(update, first, None, length=steps - 1)
    return params


def _rule(optimizer: float | Array | optax.GradientTransformation) -> optax.GradientTransformation:
    if not isinstance(optimizer, float | int | Array):
        return optimizer
    if not isinstance(optimizer, Tracer) and not optimizer > 0:
        raise UserError(f"the rate of unrolled steps must be above 0, got {optimizer}.")
    return optax.sgd(optimizer)
