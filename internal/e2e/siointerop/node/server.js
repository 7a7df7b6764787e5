// A Socket.IO server of the official implementation: node server.js <settings>. The settings are JSON: version (4 or 2),
// parser. What it does with which event is what siotestserver does; beside that "push" sends 1,000 events, "kick" takes
// the client out of the namespace and "drop" closes its connection.
"use strict";

const http = require("http");

const settings = JSON.parse(process.argv[2]);
const { Server } = settings.version === 2 ? { Server: require("socket.io2") } : require("socket.io");
const parser = settings.parser === "msgpack" ? require("socket.io-msgpack-parser") : undefined;

const server = http.createServer();
const io = new Server(server, { pingInterval: 500, pingTimeout: 20000, upgradeTimeout: 60000, ...(parser ? { parser } : {}) });

io.use((socket, next) => {
  if (!("fail" in socket.handshake.query)) return next();
  const error = new Error("Auth failed (main namespace)");
  error.data = settings.version === 2 ? "Auth failed (main namespace)" : { code: 7 };
  next(error);
});

const auth = (socket) => socket.emit("auth", settings.version === 2 ? {} : socket.handshake.auth);

io.on("connection", (socket) => {
  auth(socket);
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("message-with-ack", (...args) => args.pop()(...args));
  socket.on("echo", (x, cb) => cb(x));
  socket.on("hi", () => socket.emit("hi"));
  socket.on("ack", () =>
    socket.emit("ack", (...args) => {
      if (JSON.stringify(args) === '[5,{"test":true}]') socket.emit("got it");
    }),
  );
  socket.on("doge", () => socket.emit("doge", Buffer.from("asdfasdf")));
  socket.on("getHandshake", (cb) => cb(socket.handshake));
  socket.on("getId", (cb) => cb(socket.id));
  socket.on("push", () => {
    for (let i = 0; i < 1000; i++) socket.emit("pushed", i, i % 10 ? "x" : Buffer.from([i & 255]));
  });
  socket.on("kick", () => socket.disconnect());
  socket.on("drop", () => (socket.conn || socket.client.conn).close());
});

io.of("/custom").on("connection", auth);
io.of("/foo").on("connection", (socket) => socket.on("getId", (cb) => cb(socket.id)));
io.of("/no").use((_, next) => next(new Error("Auth failed (custom namespace)")));

server.listen(0, "127.0.0.1", () => console.log(`listening http://127.0.0.1:${server.address().port}`));
process.on("SIGINT", () => process.exit(0));
