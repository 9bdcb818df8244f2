"""The command line in forks of one process that has imported everything: a run costs a tenth of a start from nothing.

    start: {"arguments", "cwd", "env", "out", "err"} ─▶ its process id;    wait: {"wait": process id} ─▶ how it ended

Each fork is a process of its own, with its own signals, files and death. Reads orders from stdin, a JSON object a line.
"""

import importlib
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

HEAVY = (
    *("factory.run", "factory.start", "openai", "anthropic", "aiohttp", "jinja2", "pydantic", "rapidfuzz"),
    *("numpy", "rich.console", "rich.progress", "genai_prices", "yaml", "pyromark"),
)


def main():
    """Answer orders until stdin ends."""
    for name in HEAVY:
        importlib.import_module(name)
    say(0)  # ready
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            say(os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1]))
            continue
        child = os.fork()
        if not child:
            become(order)
        say(child)


def say(number):
    """Answer an order."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def become(order):
    """Run the command line as if started from a shell; does not return."""
    code = 1
    try:
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        for descriptor, path, how in ((0, os.devnull, os.O_RDONLY), (1, order["out"], 0), (2, order["err"], 0)):
            os.dup2(os.open(path, how or os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
        importlib.import_module("generators.failpoints").arm(os.environ.get("FACTORY_FAILPOINT", ""))
        sys.argv = ["factory", *order["arguments"]]
        importlib.import_module("factory.cli").main()
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:  # noqa: BLE001 - the fork must never go on as its parent
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


class Forks:
    """Orders to such a process; a context manager."""

    def __init__(self, environment):
        self._environment = environment
        self._count = 0

    def __enter__(self):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen([sys.executable, __file__], env=self._environment, **pipes)
        assert self._process.stdout.readline() == "0\n"
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()

    def start(self, *arguments, cwd, env):
        """Start ``factory …``; (its process id, where its output goes, where its errors go)."""
        self._count += 1
        out, err = (Path(cwd) / f".{name}{self._count}" for name in ("out", "err"))
        order = {"arguments": [*map(str, arguments)], "cwd": str(cwd), "env": env, "out": str(out), "err": str(err)}
        return self._ask(order), out, err

    def wait(self, child):
        """Wait for its end; its exit code, negative for a signal."""
        return self._ask({"wait": child})

    def _ask(self, order):
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


if __name__ == "__main__":
    main()
