"""Standard streams that a caller closed (``2>&-``): the null device stands in for them.

    stand_in()      before anything is opened or printed

Else the next file that is opened takes the number of the closed one, and what is meant for a screen ends in it: in a
journal, or in the file that stdout leads to.
"""

import os
import sys
from typing import TextIO


def stand_in() -> None:
    """Open what is closed of stdin, stdout and stderr."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is given: those below are open by now.
            os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
    # Python leaves out what was closed when it began; ``print`` would then turn to stdout instead of stderr.
    sys.stdout = sys.stdout or _writing(1)
    sys.stderr = sys.stderr or _writing(2)


def _writing(number: int) -> TextIO:
    return open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
