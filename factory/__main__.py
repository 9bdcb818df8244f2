"""``python -m factory``: the command line without the console script."""

from factory.cli import main

if __name__ == "__main__":
    main()
