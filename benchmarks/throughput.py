"""How many requests a second each client gets out of one core, against a server that answers after a while.

    python benchmarks/throughput.py [--requests 5000] [--concurrency 512] [--delay 0.5] [--clients ours,aiohttp,…]

Prints a line a client: requests a second, CPU milliseconds a request of the client's process, and how much of the
ideal (concurrency / delay) that is. The scripted server and each client run in processes of their own, one client at
a time. Clients: ``ours`` (what the pipeline uses), ``ours-anthropic``, ``aiohttp`` (bare: the ceiling),
``openai-aiohttp`` and ``openai`` (the SDK on aiohttp and as it comes), ``litellm`` (where it is installed: extra
``litellm``).
"""

import argparse
import asyncio
import contextlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from generators.teachers import Message, Request, open_teacher

Ask = Callable[[int], Awaitable[None]]
SCHEMA = {
    "type": "object",
    "properties": {
        "facts": {
            "type": "array",
            "maxItems": 3,
            "items": {
                "type": "object",
                "properties": {
                    "kind": {"enum": ["how-to", "parameter", "error", "code", "limit", "definition"]},
                    "answer": {"type": "string"},
                    "quotes": {"type": "array", "items": {"type": "string"}},
                    "questions": {"type": "array", "items": {"type": "string"}, "minItems": 2},
                },
                "required": ["kind", "answer", "quotes", "questions"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["facts"],
    "additionalProperties": False,
}
INSTRUCTIONS = "Write question-answer pairs about the section that the user sends. " * 22
SECTION = "\n".join(
    f"The `retry_after_{n}` header holds {n * 7} seconds, and a client that does not wait gets error {400 + n}."
    for n in range(24)
)


def messages_of(index: int) -> list[dict[str, str]]:
    """About 4 kB, different for each request."""
    return [
        {"role": "system", "content": INSTRUCTIONS},
        {"role": "user", "content": f"# Limits, part {index}\n\n{SECTION}"},
    ]


@contextlib.asynccontextmanager
async def ours(spec: str) -> AsyncIterator[Ask]:
    """The pipeline's client, reply decoding included."""
    teacher = open_teacher(spec)

    async def ask(index: int) -> None:
        messages = tuple(Message(turn["role"], turn["content"]) for turn in messages_of(index))  # type: ignore[arg-type]
        request = Request(messages, SCHEMA, max_tokens=1000)
        request.identity(spec)
        reply = teacher.read((await teacher.send(request)).body)
        assert reply.text

    yield ask
    await teacher.aclose()


def chat_body(index: int) -> dict[str, object]:
    """What the other clients send."""
    return {
        "model": "scripted",
        "messages": messages_of(index),
        "max_tokens": 1000,
        "response_format": {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA}},
    }


@contextlib.asynccontextmanager
async def bare_aiohttp() -> AsyncIterator[Ask]:
    """The least that anybody can do in Python."""
    import json

    import aiohttp

    url = f"{os.environ['OPENAI_BASE_URL']}/chat/completions"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(index: int) -> None:
            async with session.post(url, data=json.dumps(chat_body(index)).encode()) as response:
                assert json.loads(await response.read())["choices"]

        yield ask


@contextlib.asynccontextmanager
async def openai_sdk(*, on_aiohttp: bool) -> AsyncIterator[Ask]:
    """The openai SDK, without retries."""
    import openai

    client = openai.AsyncOpenAI(
        max_retries=0, timeout=600, http_client=openai.DefaultAioHttpClient() if on_aiohttp else None
    )

    async def ask(index: int) -> None:
        completion = await client.chat.completions.create(**chat_body(index))  # type: ignore[call-overload]
        assert completion.choices[0].message.content

    async with client:
        yield ask


@contextlib.asynccontextmanager
async def litellm_client() -> AsyncIterator[Ask]:
    """The asynchronous call of litellm, without retries."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # no prices are fetched while others are timed
    import litellm

    litellm.suppress_debug_info = True

    async def ask(index: int) -> None:
        body = {**chat_body(index), "model": "openai/scripted", "api_base": os.environ["OPENAI_BASE_URL"]}
        completion = await litellm.acompletion(**body, num_retries=0, max_retries=0, timeout=600)
        assert completion.choices[0].message.content

    yield ask


CLIENTS: dict[str, Callable[[], contextlib.AbstractAsyncContextManager[Ask]]] = {
    "ours": lambda: ours("openai/scripted"),
    "ours-anthropic": lambda: ours("anthropic/scripted"),
    "aiohttp": bare_aiohttp,
    "openai-aiohttp": lambda: openai_sdk(on_aiohttp=True),
    "openai": lambda: openai_sdk(on_aiohttp=False),
    **({"litellm": litellm_client} if importlib.util.find_spec("litellm") else {}),
}


async def measure(client: str, requests: int, concurrency: int) -> tuple[float, float]:
    """Requests a second and CPU seconds a request, after one round that opens the connections."""
    async with CLIENTS[client]() as ask:
        await asyncio.gather(*(ask(-index) for index in range(concurrency)))
        started, used = time.perf_counter(), time.process_time()
        left = iter(range(requests))

        async def work() -> None:
            for index in left:
                await ask(index)

        await asyncio.gather(*(work() for _ in range(concurrency)))
        return requests / (time.perf_counter() - started), (time.process_time() - used) / requests


@contextlib.contextmanager
def server(delay: float) -> Iterator[str]:
    """The scripted teacher in its own process; its URL."""
    command = [sys.executable, "-m", "generators.teachers.scripted", "--delay", str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> None:
    """Run each client in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--concurrency", type=int, default=512)
    parser.add_argument("--delay", type=float, default=0.5)
    parser.add_argument("--clients", default=",".join(CLIENTS))
    parser.add_argument("--client", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        rate, cpu = asyncio.run(measure(options.client, options.requests, options.concurrency))
        ideal = options.concurrency / options.delay
        print(f"{options.client:15} {rate:7.0f} requests/s {cpu * 1000:7.3f} ms CPU {rate / ideal:5.0%} of ideal")
        return
    with server(options.delay) as url:
        keys = {"OPENAI_API_KEY": "scripted", "ANTHROPIC_API_KEY": "scripted"}
        environment = {**os.environ, **keys, "OPENAI_BASE_URL": f"{url}/v1", "ANTHROPIC_BASE_URL": url}
        for client in options.clients.split(","):
            subprocess.run([sys.executable, __file__, *sys.argv[1:], "--client", client], env=environment, check=True)


if __name__ == "__main__":
    main()
