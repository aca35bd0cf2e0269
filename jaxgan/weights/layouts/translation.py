"""Files of the public PyTorch code of pix2pix and CycleGAN, `{epoch}_net_{G|D|G_A|G_B|D_A|D_B}.pth`.

Its modules are sequences whose numbers are the names: `model.1.weight` is the second module's kernel. Files hold a bare
dictionary of one network. Names are facts of github.com/junyanz/pytorch-CycleGAN-and-pix2pix (BSD).
"""

from typing import Any

from jaxgan.weights.layouts.layout import Found, Layout, Names, Shapes, kernels


def _norm(shapes: Shapes, key: str) -> str:
    return "batch" if f"{key}.weight" in shapes else "instance"


def unet(shapes: Shapes) -> Found | None:
    """pix2pix's U-Net: each level inside the one around it."""
    outer, inner = shapes.get("model.model.0.weight"), "model.model.1.model."
    last = shapes.get("model.model.3.weight")
    if outer is None or last is None or len(outer) != 4 or len(last) != 4:
        return None
    depth, norm, names = len(kernels(shapes)) // 2, _norm(shapes, f"{inner}6"), Names(shapes)
    bias = norm == "instance"
    names.conv("down0", "model.model.0", bias=bias)
    names.conv("up0", "model.model.3", "transposed")
    for level in range(1, depth):
        innermost = level == depth - 1
        up, up_norm = ("3", "4") if innermost else ("5", "6")
        names.conv(f"down{level}", f"{inner}1", bias=bias)
        names.conv(f"up{level}", f"{inner}{up}", "transposed", bias=bias)
        names.norm(f"up{level}_norm", f"{inner}{up_norm}", norm)
        if not innermost:
            names.norm(f"down{level}_norm", f"{inner}2", norm)
        inner += "3.model."
    about: dict[str, Any] = {"network": "unet", "width": outer[0], "depth": depth, "norm": norm}
    return names.found(about | {"takes": outer[1], "makes": last[1]})


def resnet(shapes: Shapes) -> Found | None:
    """CycleGAN's residual network; a dropout in its blocks moves what follows by one."""
    first = shapes.get("model.1.weight")
    if first is None or len(first) != 4 or "model.10.conv_block.1.weight" not in shapes:
        return None
    blocks = len({name.split(".")[1] for name in shapes if ".conv_block." in name})
    norm, names = _norm(shapes, "model.2"), Names(shapes)
    bias, second = norm == "instance", 6 if "model.10.conv_block.6.weight" in _four(shapes) else 5
    for ours, theirs in {"first": 1, "down1": 4, "down2": 7}.items():
        names.conv(ours, f"model.{theirs}", bias=bias)
        names.norm(f"{ours}_norm", f"model.{theirs + 1}", norm)
    for block in range(blocks):
        for half, theirs in enumerate((1, second)):
            names.conv(f"block{block}_{half}", f"model.{10 + block}.conv_block.{theirs}", bias=bias)
            names.norm(f"block{block}_{half}_norm", f"model.{10 + block}.conv_block.{theirs + 1}", norm)
    for ours, theirs in {"up1": 10 + blocks, "up0": 13 + blocks}.items():
        names.conv(ours, f"model.{theirs}", "transposed", bias=bias)
        names.norm(f"{ours}_norm", f"model.{theirs + 1}", norm)
    names.conv("last", f"model.{17 + blocks}")
    about: dict[str, Any] = {"network": "resnet", "width": first[0], "blocks": blocks, "norm": norm}
    makes = shapes.get(f"model.{17 + blocks}.weight", (0,))[0]
    return names.found(about | {"dropout": second == 6, "takes": first[1], "makes": makes})


def patch(shapes: Shapes) -> Found | None:
    """PatchGAN with one halving or more."""
    first = shapes.get("model.0.weight")
    if first is None or len(first) != 4 or "model.2.weight" not in _four(shapes):
        return None
    layers, norm, names = len(kernels(shapes)) - 2, _norm(shapes, "model.3"), Names(shapes)
    names.conv("conv0", "model.0")
    for layer in range(1, layers + 1):
        names.conv(f"conv{layer}", f"model.{3 * layer - 1}", bias=norm == "instance")
        names.norm(f"norm{layer}", f"model.{3 * layer}", norm)
    names.conv("last", f"model.{3 * layers + 2}")
    return names.found({"width": first[0], "layers": layers, "norm": norm, "takes": first[1]})


def pixel(shapes: Shapes) -> Found | None:
    """The discriminator of single pixels."""
    first = shapes.get("net.0.weight")
    if first is None or len(first) != 4:
        return None
    norm, names = _norm(shapes, "net.3"), Names(shapes)
    names.conv("conv0", "net.0")
    names.conv("conv1", "net.2", bias=norm == "instance")
    names.norm("norm1", "net.3", norm)
    names.conv("last", "net.5", bias=norm == "instance")
    return names.found({"width": first[0], "layers": 0, "norm": norm, "takes": first[1]})


def _four(shapes: Shapes) -> set[str]:
    return set(kernels(shapes))


TRANSLATORS = (Layout("a U-Net of pix2pix", unet), Layout("a residual network of CycleGAN", resnet))
DISCRIMINATORS = (Layout("a PatchGAN", patch), Layout("a PatchGAN of single pixels", pixel))
