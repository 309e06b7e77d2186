"""``python -m imageswap``: the command line."""

import sys

from imageswap.cli.main import main

sys.exit(main())
