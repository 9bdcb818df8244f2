"""The program's entry, for ``factory`` and ``python -m factory``: signals are heard before anything is imported."""

import gc
from typing import NoReturn

from factory import signals, streams


def main() -> NoReturn:
    """Run the command line."""
    signals.listen()
    streams.stand_in()
    gc.set_threshold(50_000, 20, 20)  # what is read mostly stays: looking for garbage so often takes a tenth of a run
    try:
        from factory.cli import main as run
    except signals.SignalledError as signalled:
        signals.leave(signalled.number)
    run()


if __name__ == "__main__":
    main()
