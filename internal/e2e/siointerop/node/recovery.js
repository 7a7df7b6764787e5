// Cuts the connection of socket.io-client again and again: node recovery.js <settings>. The settings are JSON: url of a
// server, or none for one of the official implementation in this process; cuts, clients.
//
// Every client is sent numbers while it is connected and while it is not: the server emits the next one when a client asks
// for it ("next") and some to its room whenever a connection is lost. It prints one line with what became of the cuts.
"use strict";

const http = require("http");
const { io } = require("socket.io-client");

const settings = JSON.parse(process.argv[2]);

async function officialServer() {
  const { Server } = require("socket.io");
  const front = http.createServer();
  const server = new Server(front, { connectionStateRecovery: { maxDisconnectionDuration: 60000 } });
  server.on("connection", (socket) => {
    socket.on("join", (room, cb) => (socket.join(room), cb()));
    socket.on("to", (room, event, ...args) => args.pop()(server.to(room).emit(event, ...args)));
  });
  await new Promise((resolve) => front.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${front.address().port}`;
}

async function main() {
  const url = settings.url || (await officialServer());
  const sum = { cuts: 0, recovered: 0, lost: 0, twice: 0, silentCuts: 0, silentRecovered: 0, silentLost: 0, silentTwice: 0 };
  const options = { transports: ["websocket"], forceNew: true, reconnectionDelay: 1, reconnectionDelayMax: 5 };
  const connected = (socket) => new Promise((resolve) => socket.once("connect", resolve));
  const call = (socket, ...args) => new Promise((resolve) => socket.emit(...args, resolve));

  // The one who makes the server emit.
  const speaker = io(url, options);
  await connected(speaker);

  async function cut(socket, missed) {
    const [gone, back] = [new Promise((resolve) => socket.once("disconnect", resolve)), connected(socket)];
    const hold = missed && holdBack(socket);
    socket.io.engine.transport.ws.terminate();
    await gone;
    if (missed) await missed();
    hold && hold();
    await back;
  }

  // holdBack keeps a client from connecting again until the server has emitted what it is to miss.
  function holdBack(socket) {
    const { io: manager } = socket;
    const open = manager.open;
    let waiting = null;
    manager.open = (...args) => ((waiting = args), manager);
    return () => {
      manager.open = open;
      if (waiting) open.apply(manager, waiting);
    };
  }

  // A room of its own, numbers before and in each cut.
  async function busy(name, cuts) {
    const socket = io(url, options);
    await connected(socket);
    await call(socket, "join", name);
    let sent = 0;
    let next = 0;
    const emit = () => call(speaker, "to", name, "n", sent++);
    socket.on("n", (n) => {
      if (n < next) sum.twice++;
      if (n > next) sum.lost += n - next;
      next = Math.max(next, n + 1);
    });
    await emit();
    for (let i = 0; i < cuts; i++) {
      const twice = i % 3 === 2; // the second cut follows at once
      for (let j = 0; j < (twice ? 2 : 1); j++) {
        await cut(socket, async () => {
          for (let k = 0; k < i % 4; k++) await emit();
        });
        sum.cuts++;
        if (socket.recovered) sum.recovered++;
        else await call(socket, "join", name);
      }
      if (i % 2) await emit();
    }
    await emit();
    await call(socket, "join", name); // answered after all that came before
    sum.lost += sent - next;
    socket.disconnect();
  }

  // A client that was sent nothing before its first cut, then cut again.
  async function silent(name, cuts) {
    for (let i = 0; i < cuts; i += 2) {
      const socket = io(url, { ...options });
      const got = [];
      socket.on("n", (n) => got.push(n));
      await connected(socket);
      await call(socket, "join", name + i);
      await cut(socket);
      sum.silentCuts++;
      if (socket.recovered) sum.silentRecovered++;
      await cut(socket, () => call(speaker, "to", name + i, "n", 1));
      sum.silentCuts++;
      if (socket.recovered) sum.silentRecovered++;
      await call(socket, "join", name + "end");
      if (!got.includes(1)) sum.silentLost++;
      if (got.length > 1) sum.silentTwice++;
      socket.disconnect();
    }
  }

  const each = Math.ceil(settings.cuts / settings.clients);
  await Promise.all(
    Array.from({ length: settings.clients }, (_, i) =>
      Promise.all([busy(`busy ${i}`, Math.ceil((each * 3) / 5)), silent(`silent ${i} `, Math.ceil(each / 5))]),
    ),
  );
  console.log(JSON.stringify(sum));
  process.exit(0);
}

main();
