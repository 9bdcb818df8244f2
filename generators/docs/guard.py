"""Parse risky formats in a worker process with a memory limit and a time limit, so that no file can harm the run.

    (format, bytes, name) ─▶ worker process ─▶ Parsed, or UnreadableDocumentError

The worker is started when first needed and serves one file after another. A file that takes too long, wants too much
memory or brings the parser down costs its worker; the next file gets a new one. Small Markdown and plain text are read
in the calling process: their readers are linear in the file's size.

The worker is a plain ``python -c`` with the caller's import path: ``multiprocessing`` would import the caller's main
module again, which a library must not ask for. It ends with its caller, whatever ends that: at the end of its input,
and while a parser holds the interpreter, by an alarm a little after the time limit.
"""

import contextlib
import io
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from types import TracebackType
from typing import IO, Any, Self

from generators.docs import read_as
from generators.docs.parsed import Parsed
from generators.errors import FactoryError, UnreadableDocumentError
from generators.records import Block, BlockKind, ChunkKind

_LINEAR_FORMATS = frozenset({"markdown", "text"})
_TRUSTED_BYTES = 1_000_000  # up to here a linear reader stays below a few seconds and 200 MB, whatever the content
_MAX_TEXT = 80_000_000  # characters handed back; a small PDF can unfold to any size
_ALARM_SLACK = 5.0  # seconds after the time limit; the caller kills the worker long before, if it lives
_MAX_MESSAGES = 1_000_000  # bytes of warnings that a parser can write

_BOOTSTRAP = f"import sys, pickle; sys.path[:] = pickle.load(sys.stdin.buffer); import {__name__}; {__name__}.serve()"
_OUT_OF_MEMORY = ("MemoryError", "memory allocation", "bad_alloc", "out of memory", "Cannot allocate")

_Row = tuple[BlockKind, str, int, int, int, ChunkKind]  # a Block as it crosses the pipe: seven times as fast to pickle


class ParserProcess:
    """The guarded way to read documents. A context manager: leaving it ends the worker.

    One file at a time; use one per thread.
    """

    def __init__(self, seconds: float = 60.0, memory: int = 1 << 30) -> None:
        """Set the limits for one file: wall-clock seconds and bytes of address space (where the OS honours it)."""
        self._seconds = seconds
        self._memory = memory
        self._worker: _Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the worker, if there is one; another ``read`` would start a new one."""
        if self._worker:
            self._worker.stop()
        self._worker = None

    def read(self, format_name: str, data: bytes, name: str) -> Parsed:
        """Read a document's bytes (already decompressed).

        Raises:
            UnreadableDocumentError: The reader's reasons; ``timeout``, ``too_much_memory`` or ``parser_crashed``.
        """
        if format_name in _LINEAR_FORMATS and len(data) <= _TRUSTED_BYTES:
            return read_as(format_name, data, name)
        self._worker = self._worker or self._start()
        try:
            reply = self._worker.ask(format_name, data, name)
        except BaseException:
            self.close()
            raise
        if isinstance(reply, Parsed):
            return reply
        if reply.reason == "too_much_memory":
            self.close()  # what is left of its memory may be in pieces
        raise reply

    def _start(self) -> "_Worker":
        try:
            return _Worker(self._seconds, self._memory)
        except OSError as error:
            raise FactoryError(f"cannot start the process that reads documents ({sys.executable}: {error})") from error


class _Worker:
    """The calling side of one worker process."""

    def __init__(self, seconds: float, memory: int) -> None:
        self._seconds = seconds
        self._memory = memory
        # A file, not a pipe: a parser that warns a million times must not block on a pipe that nobody reads.
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 (closed by ``stop``)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOTSTRAP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
        )
        self._greeting: list[Any] = [[path or os.getcwd() for path in sys.path], (seconds, memory)]  # noqa: PTH109

    def ask(self, format_name: str, data: bytes, name: str) -> Parsed | UnreadableDocumentError:
        """Send one file and wait for its blocks or its error.

        Raises:
            UnreadableDocumentError: The worker is lost: ``timeout``, ``too_much_memory``, ``parser_crashed``.
        """
        timed_out = threading.Event()
        timer = threading.Timer(self._seconds, self._kill, [timed_out])
        timer.daemon = True
        timer.start()
        try:
            reply = self._exchange((format_name, data, name))
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise self._loss(name, timed_out=timed_out.is_set()) from error
        finally:
            timer.cancel()
        return reply

    def _exchange(self, request: tuple[str, bytes, str]) -> Parsed | UnreadableDocumentError:
        requests, replies = _pipes(self._process)
        while self._greeting:
            pickle.dump(self._greeting.pop(0), requests)
        pickle.dump(request, requests)
        requests.flush()
        reply = pickle.load(replies)  # noqa: S301 (written by our own worker)
        if isinstance(reply, UnreadableDocumentError):
            return reply
        title, rows = reply
        return Parsed(title, tuple(Block(*row) for row in rows))

    def _kill(self, timed_out: threading.Event) -> None:
        timed_out.set()
        self._process.kill()

    def _loss(self, name: str, *, timed_out: bool) -> UnreadableDocumentError:
        """Find out why the worker does not answer."""
        self._process.kill()
        code = self._process.wait()
        if timed_out:
            return UnreadableDocumentError("timeout", f"{name}: not read within {self._seconds:g} s")
        self._messages.seek(0)
        messages = self._messages.read(_MAX_MESSAGES).decode("utf-8", "replace").strip()
        if any(sign in messages for sign in _OUT_OF_MEMORY):
            return _too_much_memory(name, self._memory)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        last = messages.splitlines()[-1][:200] if messages else "no message"
        return UnreadableDocumentError("parser_crashed", f"{name}: brought its parser down ({how}: {last})")

    def stop(self) -> None:
        """Kill the process, which holds nothing worth saving, and close what belongs to it."""
        self._process.kill()
        self._process.wait()
        for pipe in _pipes(self._process):
            with contextlib.suppress(BrokenPipeError):  # unsent bytes of a request that the worker did not live to read
                pipe.close()
        self._messages.close()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise BrokenPipeError("the worker was started without pipes")
    return process.stdin, process.stdout


def _too_much_memory(name: str, memory: int) -> UnreadableDocumentError:
    return UnreadableDocumentError("too_much_memory", f"{name}: needs more than {memory >> 20} MiB to be read")


class _Messages(io.TextIOBase):
    """Standard output and error of parsers: what the limit on files refuses is dropped, and fails no parse."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            os.write(2, text.encode("utf-8", "replace"))
        return len(text)


def serve() -> None:
    """The worker's main loop: requests from standard input, replies to what was standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, who ends the worker
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a parser that prints must not garble the replies
    sys.stdout = sys.stderr = _Messages()
    seconds, memory = pickle.load(sys.stdin.buffer)  # noqa: S301 (written by our own caller)
    _limit(memory)
    requests: queue.SimpleQueue[tuple[str, bytes, str]] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests.put,), daemon=True).start()
    while True:
        request = requests.get()
        os.ftruncate(2, 0)  # the messages are about one file
        os.lseek(2, 0, os.SEEK_SET)
        signal.setitimer(signal.ITIMER_REAL, seconds + _ALARM_SLACK)
        reply = _answer(request, memory)
        signal.setitimer(signal.ITIMER_REAL, 0)
        pickle.dump(reply, replies)
        replies.flush()


def _receive(put: Callable[[tuple[str, bytes, str]], None]) -> None:
    """Read requests in a thread of its own, so that the end of the caller is noticed during a parse, too."""
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)  # noqa: S301 (written by our own caller)
        except (EOFError, OSError, pickle.UnpicklingError):
            os._exit(0)
        put(request)


def _limit(memory: int) -> None:
    import resource

    limits = ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, _MAX_MESSAGES), (resource.RLIMIT_CORE, 0))
    for limit, wanted in limits:
        _, hard = resource.getrlimit(limit)
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):  # macOS refuses some; the time limit still holds
            resource.setrlimit(limit, (soft, hard))


def _answer(request: tuple[str, bytes, str], memory: int) -> tuple[str, list[_Row]] | UnreadableDocumentError:
    format_name, data, name = request
    try:
        parsed = read_as(format_name, data, name)
        if sum(len(block.text) for block in parsed.blocks) > _MAX_TEXT:
            return UnreadableDocumentError("oversized", f"{name}: unfolds to more than {_MAX_TEXT:,} characters")
        return parsed.title, [(b.kind, b.text, b.first_line, b.last_line, b.level, b.section) for b in parsed.blocks]
    except UnreadableDocumentError as error:
        return error
    except MemoryError:
        return _too_much_memory(name, memory)
