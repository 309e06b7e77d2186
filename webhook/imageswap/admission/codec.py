"""JSON in and out of bytes: by orjson, which is written in Rust, where it is installed."""

import json
from collections.abc import Callable
from typing import Any

NAME = "json"


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


loads: Callable[[bytes], Any] = json.loads
dumps: Callable[[Any], bytes] = _dump

try:
    import orjson
except ImportError:
    pass
else:
    NAME, loads, dumps = "orjson", orjson.loads, orjson.dumps
