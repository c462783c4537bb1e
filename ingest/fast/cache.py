"""Where the machine code is kept from one run to the next."""

import os
from functools import cache
from pathlib import Path
from typing import Any

from numba.core import config as numba_config

config: Any = numba_config  # its settings come from the environment; the types know none of them


@cache
def has_cache() -> bool:
    """Whether it can be kept: beside the source, or in the user's cache folder where the source cannot be written.

    numba asks `NUMBA_CACHE_DIR` first, which is left alone if the user has set it.
    """
    if config.CACHE_DIR or os.access(Path(__file__).parent, os.W_OK):
        return True
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "mailscope"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    config.CACHE_DIR = str(folder)
    return True
