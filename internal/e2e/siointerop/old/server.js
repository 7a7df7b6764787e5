// A server of an old version: node server.js <settings>. The settings are JSON: package, the one that is old, as it is
// called in package.json; parser, the package of an old parser for it. It prints one line, "listening" and its URL.
"use strict";

const http = require("http");

const settings = JSON.parse(process.argv[2]);
const library = require(settings.package);
const server = http.createServer((_, res) => res.end());
// Nobody answers heartbeats here.
const options = { path: "/socket.io/", pingInterval: 600000, pingTimeout: 600000 };

if (settings.package.startsWith("ws-")) {
  const wss = new library.Server({ server });
  wss.on("connection", (ws) => {
    ws.on("error", () => {});
    ws.on("message", (data) => ws.send(data));
  });
} else if (settings.package.startsWith("engine.io-")) {
  const engine = library.attach(server, options);
  engine.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
} else {
  const Server = library.Server || library;
  const io = new Server(server, settings.parser ? { ...options, parser: require(settings.parser) } : options);
  io.on("connection", (socket) => socket.on("echo", (x, cb) => cb(x)));
}

server.listen(0, "127.0.0.1", () => console.log(`listening http://127.0.0.1:${server.address().port}`));
