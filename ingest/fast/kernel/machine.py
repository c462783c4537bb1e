"""How functions become machine code, and where that is kept from one run to the next.

numba keeps the code of a function by the file of its source alone: it would keep it when a function that it calls, in
another file, changes. So the folder's name tells the content of all files here.
"""

import os
import shutil
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
from numba.core import config as numba_config

config: Any = numba_config  # its settings come from the environment; the types know none of them
_HERE = Path(__file__).parent


@cache
def has_cache() -> bool:
    """Whether it can be kept: beside the source, or in the user's cache folder where the source cannot be written.

    The user's `NUMBA_CACHE_DIR` comes first.
    """
    is_ours = not config.CACHE_DIR and os.access(_HERE, os.W_OK)
    folder = _HERE / "__pycache__" if is_ours else Path(config.CACHE_DIR or _users_cache())
    kept = folder / f"mailscope-{_digest()}"
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    if not os.access(kept, os.W_OK):
        return False
    for old in folder.glob("mailscope-*") if is_ours else ():
        if old != kept:
            shutil.rmtree(old, ignore_errors=True)
    config.CACHE_DIR = str(kept)
    return True


def _digest() -> str:
    return sha256(b"".join(file.read_bytes() for file in sorted(_HERE.glob("*.py")))).hexdigest()[:12]


def _users_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "mailscope"


def jit(function: Any) -> Any:
    """The function as machine code."""
    return numba.njit(nogil=True, cache=has_cache(), error_model="numpy", _nrt=False)(function)


def inlined(function: Any) -> Any:
    """The same for what is called for each line or text: an array is seven arguments, and a call's on the stack cost as much as it does."""
    return numba.njit(nogil=True, cache=has_cache(), error_model="numpy", _nrt=False, forceinline=True)(
        function
    )
