// A WebSocket server of the "ws" package for the Go client to talk to. It prints its port as the first line and
// ends with its standard input.
"use strict";
const http = require("http");
const { WebSocketServer } = require("ws");

const handlers = {
  // Sends back every message as it came.
  "/echo": (ws) => ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary })),

  // Sends one text message in four frames.
  "/fragments": (ws) => {
    const parts = ["one,", "two,", "", "three"];
    parts.forEach((p, i) => ws.send(p, { fin: i === parts.length - 1, binary: false }));
  },

  // Pings first and tells what the pong held.
  "/ping": (ws) => {
    ws.on("pong", (data) => ws.send("pong:" + data.toString()));
    ws.ping("are you there");
  },

  // Sends a message of ?n=bytes.
  "/big": (ws, url) => ws.send(Buffer.alloc(Number(url.searchParams.get("n")), 0x5a)),

  // Closes with ?code and ?reason.
  "/close": (ws, url) => {
    const code = url.searchParams.get("code");
    code === null ? ws.close() : ws.close(Number(code), url.searchParams.get("reason") || "");
  },

  // Cuts the connection without a closing handshake.
  "/cut": (ws) => ws.terminate(),

  // Tells over a second connection, /told, how the peer closed.
  "/tell": (ws) => ws.on("close", (code, reason) => closes.push({ code, reason: reason.toString() })),
  "/told": (ws) => ws.on("message", () => ws.send(JSON.stringify(closes.shift() || null))),
};
const closes = [];

function serve(deflate) {
  const wss = new WebSocketServer({
    noServer: true,
    perMessageDeflate: deflate && { threshold: 16 },
    handleProtocols: (offered) => (offered.has("v2.field") ? "v2.field" : false),
  });
  const server = http.createServer((req, res) => res.writeHead(426).end("upgrade required"));
  server.on("upgrade", (req, socket, head) => {
    const url = new URL(req.url, "http://x");
    if (url.pathname === "/refuse") {
      const body = JSON.stringify({ ok: false });
      socket.end(
        "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nRetry-After: 7\r\n" +
          "Connection: close\r\nContent-Length: " + body.length + "\r\n\r\n" + body,
      );
      return;
    }
    const handler = handlers[url.pathname];
    wss.handleUpgrade(req, socket, head, (ws) => {
      ws.on("error", () => {});
      handler(ws, url);
    });
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));
}

Promise.all([serve(false), serve(true)]).then(([plain, deflate]) => {
  console.log(JSON.stringify({ plain, deflate }));
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
