"""The Pulumi program: one ``ImageSwap``, set up by the stack's configuration."""

import pulumi

from pulumi_imageswap import ImageSwap
from pulumi_imageswap.stack import args_from_config

image_swap = ImageSwap("imageswap", args_from_config())

pulumi.export("namespace", image_swap.namespace)
pulumi.export("serviceName", image_swap.service_name)
pulumi.export("caPem", image_swap.ca_pem)
pulumi.export("rulesHash", image_swap.rules_hash)
pulumi.export("rules", image_swap.rules)
