"""What python-socketio's client wants of the test server: client.py <settings>. The settings are JSON: url, transports.

It prints a line {name, error} for every check.
"""

import asyncio
import json
import os
import sys
import traceback

import socketio
from engineio import payload

# This client takes 16 packets in an answer unless it is told otherwise, its own server and the official one send more.
payload.Payload.max_decode_packets = 10000

settings = json.loads(sys.argv[1])
checks = {}

# patience is how long what should happen at once may take, in seconds: the machine may be slow.
patience = 60


def check(name):
    return lambda f: checks.setdefault(name, f)


class Patient(socketio.AsyncClient):
    """The client, with another default for how long a connection may take, also when it connects again."""

    async def connect(self, *args, **kwargs):
        await super().connect(*args, **{"wait_timeout": patience, **kwargs})


class Client:
    """A client that keeps the events that it gets."""

    def __init__(self, namespaces=("/",)):
        self.sio = Patient(reconnection_delay=0.01, reconnection_delay_max=0.05)
        self.events = asyncio.Queue()
        self.lost = asyncio.Queue()
        self.back = asyncio.Queue()
        self.namespaces = namespaces
        for namespace in namespaces:
            self.sio.on("*", self.on_event, namespace=namespace)
        self.sio.on("connect", self.on_connect)
        self.sio.on("disconnect", self.on_disconnect)

    async def on_event(self, name, *args):
        self.events.put_nowait((name, list(args)))

    async def on_connect(self):
        self.back.put_nowait(None)

    async def on_disconnect(self):
        self.lost.put_nowait(None)

    async def connect(self, query="", auth=None, wait=True):
        await self.sio.connect(
            settings["url"] + query,
            auth=auth,
            transports=settings["transports"],
            namespaces=list(self.namespaces),
            wait=wait,
        )
        return self

    async def expect(self, name, *args):
        got = await asyncio.wait_for(self.events.get(), patience)
        same((name, list(args)), got)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.sio.disconnect()


def same(want, got):
    if want != got:
        raise AssertionError("want %.300r, got %.300r" % (want, got))


@check("connect")
async def _():
    async with Client() as c:
        await c.connect(auth={"token": "abc"})
        await c.expect("auth", {"token": "abc"})
        same(c.sio.get_sid(), await c.sio.call("getId"))
        if len(settings["transports"]) > 1:
            same("websocket", c.sio.transport())


@check("events")
async def _():
    async with Client() as c:
        await c.connect()
        await c.expect("auth", {})
        args = (1, -2.5, "3", {"a": [True, None, {"b": ""}]}, [], "äöü € 🍔", False, None, 12345678901234567890)
        await c.sio.emit("message", args)
        await c.expect("message-back", *args)
        await c.sio.emit("getUtf8")
        for text in ("てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "🍔🍟 \u2028 👨\u200d💻"):
            await c.expect("takeUtf8", text)


@check("acknowledgements")
async def _():
    async with Client() as c:
        c.sio.on("ack", lambda: (5, {"test": True}))
        await c.connect()
        await c.expect("auth", {})
        same((1, "2"), await c.sio.call("message-with-ack", (1, "2")))
        same(None, await c.sio.call("message-with-ack"))
        for _ in range(3):
            await c.sio.emit("ack")
            await c.expect("got it")


@check("binary")
async def _():
    async with Client() as c:
        await c.connect()
        await c.expect("auth", {})
        await c.sio.emit("doge")
        await c.expect("doge", b"asdfasdf")
        args = (b"\x00\xff", {"deep": [{"er": b"\x07"}, "x"]}, b"", 5)
        await c.sio.emit("message", args)
        await c.expect("message-back", *args)
        large = bytes(i * 7 & 255 for i in range(200000))
        same((large, b"x"), await c.sio.call("message-with-ack", (large, b"x")))


@check("namespaces")
async def _():
    async with Client(("/", "/custom", "/foo")) as c:
        await c.connect(auth={"token": "abc"})
        await c.expect("auth", {"token": "abc"})
        await c.expect("auth", {"token": "abc"})
        same(c.sio.get_sid("/foo"), await c.sio.call("getId", namespace="/foo"))


@check("refused")
async def _():
    for query, namespace in (("?fail=1", "/"), ("", "/no"), ("", "/random")):
        c = Client((namespace,))
        answers = asyncio.Queue()
        for answer in ("connect", "connect_error"):
            c.sio.on(answer, lambda *args, answer=answer: answers.put_nowait((answer, *args)), namespace=namespace)
        await c.connect(query, wait=False)
        want = {"/": "Auth failed (main namespace)", "/no": "Auth failed (custom namespace)", "/random": "Invalid namespace"}
        same(("connect_error", {"message": want[namespace]}), await asyncio.wait_for(answers.get(), patience))
        await c.sio.disconnect()


@check("reconnect")
async def _():
    async with Client() as c:
        await c.connect()
        await c.expect("auth", {})
        for i in range(3):
            await asyncio.wait_for(c.back.get(), patience)
            await cut(c)
            await asyncio.wait_for(c.lost.get(), patience)
            await c.expect("auth", {})
            same(i, await c.sio.call("echo", i))


async def cut(c):
    """Breaks the connection without a word."""
    if c.sio.eio.ws:
        await c.sio.eio.ws.close()
    else:
        await c.sio.eio.http.close()


@check("the server disconnects")
async def _():
    async with Client() as c:
        await c.connect()
        await c.expect("auth", {})
        await c.sio.call("join", "r")
        await c.sio.emit("disconnect-room", "r")
        await asyncio.wait_for(c.lost.get(), patience)


@check("heartbeat")
async def _():
    async with Client() as c:
        await c.connect()
        await asyncio.sleep(1.3)
        same(7, await c.sio.call("echo", 7))
        same(0, c.lost.qsize())


@check("1,000 messages each way")
async def _():
    async with Client() as c:
        await c.connect()
        await c.expect("auth", {})
        for i in range(1000):
            await c.sio.emit("message", (i, "x" if i % 10 else bytes([i & 255])))
        for i in range(1000):
            await c.expect("message-back", i, "x" if i % 10 else bytes([i & 255]))


async def main():
    for name, run in checks.items():
        if name not in settings.get("only", checks):
            continue
        error = None
        try:
            await asyncio.wait_for(run(), 2 * patience)
        except BaseException:
            error = traceback.format_exc()
        print(json.dumps({"name": name, "error": error}), flush=True)
    os._exit(0)  # what the client has left running may take long to end


asyncio.run(main())
