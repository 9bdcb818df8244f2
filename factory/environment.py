"""The ``FACTORY_…`` variables of the environment: each is a setting or known otherwise, or it is a mistake.

names of settings ─▶ nothing, or ``UsageError`` that names the nearest one
"""

import os
from collections.abc import Iterable
from difflib import get_close_matches

from generators.errors import UsageError

PREFIX = "FACTORY_"
# Read elsewhere: where settings, weights and one's own models lie, and what a test makes fail.
_OTHERS = ("FACTORY_CONFIG_FILE", "FACTORY_CACHE", "FACTORY_CONFIG", "FACTORY_FAILPOINT")


def variable_of(setting: str) -> str:
    """The variable that sets a setting."""
    return f"{PREFIX}{setting.upper()}"


def check_environment(settings: Iterable[str], tables: Iterable[str], file: str) -> None:
    """Refuse variables that set nothing; one that is empty counts as not there, as it does for a setting.

    Args:
        settings: What a variable can set.
        tables: What only a file can set; its name is said.
        file: The settings file's name.
    """
    known = [*map(variable_of, settings), *_OTHERS]
    set_ = (name for name, value in os.environ.items() if name.startswith(PREFIX) and value)
    unknown = next((name for name in sorted(set_) if name not in known), None)
    if unknown is None:
        return
    if unknown in map(variable_of, tables):
        raise UsageError(f"{unknown} cannot be set here: [{unknown.removeprefix(PREFIX).lower()}] stands in {file}")
    near = get_close_matches(unknown.removeprefix(PREFIX), [name.removeprefix(PREFIX) for name in known], 1)
    meant = f"did you mean {PREFIX}{near[0]}?" if near else f"see 'factory generate --help' and {file}"
    raise UsageError(f"there is no setting {unknown}: {meant} (if it is another program's, unset it here)")
