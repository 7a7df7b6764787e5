// A WebSocket client of the "ws" package against the Go server, whose address is the argument. It prints one
// JSON line for each exchange, as it saw it, and ends.
"use strict";
const { WebSocket } = require("ws");

const base = process.argv[2];
const show = (name, seen) => console.log(JSON.stringify({ name, ...seen }));

// Opens path, sends what send says, and collects messages until the socket closes.
function exchange(name, path, { send = () => {}, want = 0, close, options = {}, protocols = [] } = {}) {
  return new Promise((done) => {
    const ws = new WebSocket(base + path, protocols, { perMessageDeflate: false, ...options });
    const messages = [];
    const end = () => {
      if (close) ws.close(close.code, close.reason);
    };
    ws.on("open", () => {
      send(ws);
      if (want === 0) end();
    });
    ws.on("message", (data, binary) => {
      messages.push({ binary, length: data.length, head: data.subarray(0, 16).toString("hex") });
      if (messages.length === want) end();
    });
    ws.on("pong", (data) => {
      messages.push({ pong: data.toString() });
      if (messages.length === want) end();
    });
    ws.on("unexpected-response", (req, res) => {
      res.resume();
      show(name, { status: res.statusCode });
      req.destroy();
      done();
    });
    ws.on("error", () => {});
    ws.on("close", (code, reason) => {
      show(name, { messages, code, reason: reason.toString(), protocol: ws.protocol, extensions: ws.extensions });
      done();
    });
  });
}

(async () => {
  const bye = { code: 1000, reason: "bye" };
  await exchange("text", "/echo", { send: (ws) => ws.send("grüße"), want: 1, close: bye });
  await exchange("binary", "/echo", { send: (ws) => ws.send(Buffer.from([0, 1, 2, 255])), want: 1, close: bye });
  await exchange("empty", "/echo", { send: (ws) => ws.send(""), want: 1, close: bye });
  await exchange("large", "/echo", { send: (ws) => ws.send(Buffer.alloc(1 << 20, 7)), want: 1, close: bye });
  await exchange("fragments", "/echo", {
    send: (ws) => {
      ws.send("a", { fin: false });
      ws.ping("between");
      ws.send("b", { fin: false });
      ws.send("c", { fin: true });
    },
    want: 2,
    close: bye,
  });
  await exchange("many", "/echo", {
    send: (ws) => {
      for (let i = 0; i < 1000; i++) ws.send("message " + i);
    },
    want: 1000,
    close: bye,
  });
  await exchange("deflate", "/deflate", {
    send: (ws) => ws.send("z".repeat(4096)),
    want: 1,
    close: bye,
    options: { perMessageDeflate: { threshold: 16 } },
  });
  await exchange("subprotocol", "/echo", { protocols: ["v1.field", "v2.field"], close: bye });
  await exchange("closed by server", "/close", {});
  await exchange("too big", "/echo", { send: (ws) => ws.send(Buffer.alloc((2 << 20) + 1)), want: 1 });
  await exchange("refused", "/refuse", {});
})();
