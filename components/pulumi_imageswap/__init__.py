"""Image swap as Pulumi components: import ``ImageSwap`` into your own program."""

from pulumi_imageswap.image_swap import ImageSwap
from pulumi_imageswap.settings import ImageSwapArgs

__all__ = ["ImageSwap", "ImageSwapArgs"]
