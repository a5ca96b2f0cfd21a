"""The command `gmmx compress`."""

import click

from ..config import CompressConfig
from . import options
from .options import Command, flag, setting, values


@click.command(
    "compress",
    cls=Command,
    epilog=options.examples(
        "gmmx compress photo.h5 --out compressed.png",
        "gmmx compress photo.h5 --beside --out both.png",
    ),
)
@options.model
@flag(
    "--beside",
    group="Options",
    default=CompressConfig.beside,
    help="Put the picture of the k-means clusters to the right of that of the mixture.",
)
@setting(CompressConfig, "seed", "Seed of the k-means clusters.", metavar="INT")
@options.out("FILE.png|.jpg|.tif", "File of the picture.")
@options.overwrite
@options.as_json
@options.quiet
@options.verbose
@options.config
@click.pass_obj
def compress(console, model, out, overwrite, as_json, **given):
    """Write the picture of MODEL with one colour for each component.

    MODEL is a fit of a picture with --colour. Each pixel becomes the mean colour of its most
    probable component. The same is done with as many k-means clusters of colours.

    The bits per pixel are the entropy of the components' numbers, which a code of each pixel by
    itself can come near to and not below, and 24 bits for each colour. A picture that is not
    compressed has 24. PSNR is the peak signal-to-noise ratio.
    """
    from ..commands.pictures import compress as compressed

    config = values(CompressConfig, given)
    facts = compressed(model, out, config, overwrite=overwrite, inputs=console.configs)
    if as_json:
        console.show_json(facts)
        return
    lines = [f"{'':<12}bits per pixel   PSNR [dB]"]
    lines.append(f"{'original':<12}{facts['plain_bits_per_pixel']:>14.2f}")
    for name, title in (("mixture", "mixture"), ("kmeans", "k-means")):
        one = facts[name]
        lines.append(f"{title:<12}{one['bits_per_pixel']:>14.2f}{one['psnr']:>12.2f}")
    console.show("\n".join(lines))
    console.say(f"picture: {out}")
