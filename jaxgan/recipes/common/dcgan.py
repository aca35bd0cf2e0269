"""DCGAN's pair of networks, on which several recipes play, and its options."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge
from flax import linen as nn

from jaxgan.errors import UserError
from jaxgan.fields import Spec
from jaxgan.game import dtype_of
from jaxgan.nets.dcgan import DCGANDiscriminator, DCGANGenerator


@dataclass(frozen=True, kw_only=True)
class DCGANOptions:
    """The networks of Radford et al. 2015, sized for small images on two cores."""

    g_width: int = 32
    """Channels of the generator's last hidden layer; each earlier one has twice as many."""
    d_width: int = 32
    """Channels of the discriminator's first layer; each later one has twice as many."""
    g_units: Annotated[int, Ge(0)] = 0
    """Units of a dense layer in front of the generator's convolutions; 0: none."""
    d_units: Annotated[int, Ge(0)] = 0
    """Units of a dense layer behind the discriminator's convolutions; 0: none."""
    d_biases: bool = False
    """Biases in the discriminator's first and last layer, which are not normalised."""
    d_norm: Literal["batch", "layer", "none"] = "batch"
    """Normalisation in the discriminator. Avoid batch together with a gradient penalty."""
    minibatch_std: Annotated[int, Ge(0)] = 0
    """Images of a group whose spread D sees, 4 as a rule; 0: none."""


def pair(config: Any, spec: Spec, axis_name: str | None, classes: int = 0) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator.

    Args:
        config: a recipe's configuration with `DCGANOptions`.
        spec: the fields of the data.
        axis_name: as for `make_train_step`; batch statistics are over all devices.
        classes: number of classes that both networks are told; 0 for none.

    Raises:
        UserError: groups that are no groups, or that the batch cannot be cut into.
    """
    _check_groups(config)
    shared: dict[str, Any] = {"classes": classes, "dtype": dtype_of(config.precision), "axis_name": axis_name}
    G = DCGANGenerator(spec["image"].fixed, config.g_width, units=config.g_units, **shared)
    judge: dict[str, Any] = {"norm": config.d_norm, "group_size": config.minibatch_std}
    judge |= {"units": config.d_units, "biases": config.d_biases}
    return G, DCGANDiscriminator(config.d_width, **judge, **shared)


def _check_groups(config: Any) -> None:
    """Raise a UserError unless packs and microbatches are whole groups."""
    size = config.minibatch_std
    if size == 1:
        raise UserError("--minibatch-std takes groups of at least 2 images, or 0 for none, got 1.")
    seen = config.batch_size // config.accumulate // getattr(config, "packing", 1)  # by D at a time
    if size and seen % size:
        raise UserError(f"--minibatch-std must divide the {seen} images or packs that D judges at a time, got {size}.")
