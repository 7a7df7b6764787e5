"""A Socket.IO server of python-socketio, on aiohttp. It does what node/server.js does."""

import asyncio
import signal

import socketio
from aiohttp import web

sio = socketio.AsyncServer(async_mode="aiohttp", ping_interval=1, ping_timeout=20, cors_allowed_origins="*")


def ack_args(args):
    return tuple(args) if len(args) != 1 else args[0]


def serve(namespace):
    @sio.on("connect", namespace=namespace)
    async def connect(sid, environ, auth=None):
        if "fail=" in environ["QUERY_STRING"] and namespace == "/":
            raise socketio.exceptions.ConnectionRefusedError("Auth failed (main namespace)", {"code": 7})
        if namespace == "/no":
            raise socketio.exceptions.ConnectionRefusedError("Auth failed (custom namespace)")
        # It arrives before the confirmation.
        await sio.emit("auth", auth or {}, to=sid, namespace=namespace)

    @sio.on("getId", namespace=namespace)
    async def get_id(sid):
        return sid


for name in ("/", "/custom", "/foo", "/no"):
    serve(name)


@sio.on("message")
async def message(sid, *args):
    await sio.emit("message-back", tuple(args), to=sid)


@sio.on("message-with-ack")
async def message_with_ack(sid, *args):
    return ack_args(args) if args else None


@sio.on("echo")
async def echo(sid, x):
    return x


@sio.on("hi")
async def hi(sid):
    await sio.emit("hi", to=sid)


@sio.on("ack")
async def ack(sid):
    async def answered(*args):
        if list(args) == [5, {"test": True}]:
            await sio.emit("got it", to=sid)

    await sio.emit("ack", to=sid, callback=answered)


@sio.on("doge")
async def doge(sid):
    await sio.emit("doge", b"asdfasdf", to=sid)


@sio.on("push")
async def push(sid):
    for i in range(1000):
        await sio.emit("pushed", (i, "x" if i % 10 else bytes([i & 255])), to=sid)


@sio.on("kick")
async def kick(sid):
    await sio.disconnect(sid)


@sio.on("drop")
async def drop(sid):
    await sio.eio.disconnect(sio.manager.eio_sid_from_sid(sid, "/"))


async def main():
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print("listening http://127.0.0.1:%d" % site._server.sockets[0].getsockname()[1], flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    await stop.wait()


asyncio.run(main())
