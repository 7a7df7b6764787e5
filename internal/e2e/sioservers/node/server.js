// The official server, for siobench.
"use strict";

const http = require("node:http");
const { Server } = require("socket.io");

const front = http.createServer((req, res) => res.writeHead(404).end());
const io = new Server(front, {
  transports: ["websocket"],
  maxHttpBufferSize: 4 << 20,
  perMessageDeflate: false,
  serveClient: false,
});

io.on("connection", (socket) => {
  socket.on("echo", (text) => socket.emit("echo", text));
  socket.on("ack", (text, ack) => ack(text));
  socket.on("bin", (data) => socket.emit("bin", data));
  socket.on("bcast", (text) => io.emit("msg", text));
});

front.listen(0, "127.0.0.1", () => {
  const { address, port } = front.address();
  console.log(`${address}:${port}`);
});
