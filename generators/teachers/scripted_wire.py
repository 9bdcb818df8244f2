"""How a scripted teacher's answer gets onto the wire, or breaks there.

Answer ─▶ write_answer ─▶ (aiohttp's response, bytes of the body written while the client was there)
"""

import asyncio
import socket
import struct

from aiohttp import web

from generators.teachers.scripted_faults import Answer


async def write_answer(http: web.Request, answer: Answer) -> tuple[web.StreamResponse, int]:
    """Put an answer on the wire; the number is that of the body's bytes written while the client was there."""
    if answer.ending == "whole":
        there = http.transport is not None and not http.transport.is_closing()
        response = web.Response(
            status=answer.status, body=answer.body, content_type="application/json", headers=answer.headers
        )
        return response, len(answer.body) if there else 0
    if answer.ending == "reset_before":
        _reset(http)
        return web.Response(), 0
    return await _write_broken(http, answer)


async def _write_broken(http: web.Request, answer: Answer) -> tuple[web.StreamResponse, int]:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = "application/json"
    if answer.ending != "huge":
        response.content_length = len(answer.body)
    delivered = 0
    try:
        await response.prepare(http)
        if answer.ending == "half":
            await response.write(answer.body[: len(answer.body) // 2])
            delivered = len(answer.body) // 2
        while answer.ending == "huge" and delivered < answer.size:
            await response.write(b" " * 65536)
            delivered += 65536
    except ConnectionError:  # The client has had enough, as it should.
        return response, delivered
    if answer.ending == "huge":
        await response.write(answer.body)
        return response, delivered + len(answer.body)
    await asyncio.sleep(0.01)  # Lets the bytes above leave before the connection breaks.
    _reset(http)
    return response, delivered


def _reset(http: web.Request) -> None:
    """Break the connection with a TCP reset."""
    if http.transport is None:
        return
    connection: socket.socket = http.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    http.transport.abort()
