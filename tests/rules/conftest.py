"""How many examples the property tests try: many more with HYPOTHESIS_PROFILE=long."""

import os

from hypothesis import settings

settings.register_profile("usual", max_examples=100, deadline=None, database=None)
settings.register_profile("long", max_examples=5_000, deadline=None, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))
