// What a client of the official implementation, version 4 or 2, wants of the test server. It runs in Node.js and in a
// page: runChecks is all that it defines.
"use strict";

/**
 * @param env {io, url, version, transports, parser, node}: the client library and how it is to be used; node tells
 *            that sockets below can be reached
 * @param report gets (name, error): null for a check that held
 */
async function runChecks(env, report) {
  const open = new Set();
  const names = env.only || Object.keys(checks);
  for (const name of names) {
    let error = null;
    try {
      await within(120000, checks[name](helper(env, open)));
    } catch (e) {
      error = e === skipped ? null : e.stack || String(e);
    }
    for (const socket of open) {
      socket.io.reconnection(false);
      socket.disconnect();
      socket.io.engine && socket.io.engine.close();
    }
    open.clear();
    report(name, error);
    if (error && name === "connect") return; // nothing else can hold
  }
}

const skipped = "left out";

// patience is how long what should happen at once may take, in milliseconds: the machine may be slow.
const patience = 60000;

const within = (ms, promise, what = "check") =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what}: nothing for ${ms} ms`)), ms);
    promise.then(
      (v) => (clearTimeout(timer), resolve(v)),
      (e) => (clearTimeout(timer), reject(e)),
    );
  });

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const event = (socket, name) =>
  within(patience, new Promise((resolve) => socket.once(name, (...args) => resolve(args))), name);

const call = (socket, name, ...args) =>
  within(patience, new Promise((resolve) => socket.emit(name, ...args, (...answer) => resolve(answer))), name);

const plain = (v) => {
  if (v instanceof ArrayBuffer) return { bytes: Array.from(new Uint8Array(v)) };
  if (ArrayBuffer.isView(v)) return { bytes: Array.from(new Uint8Array(v.buffer, v.byteOffset, v.byteLength)) };
  if (Array.isArray(v)) return v.map(plain);
  if (v && typeof v === "object") return Object.fromEntries(Object.entries(v).map(([k, w]) => [k, plain(w)]));
  return v;
};

const same = (want, got, what = "") => {
  const [w, g] = [JSON.stringify(plain(want)), JSON.stringify(plain(got))];
  if (w !== g) throw new Error(`${what} want ${w.slice(0, 300)}, got ${(g || "undefined").slice(0, 300)}`);
};

const bytes = (...values) => new Uint8Array(values).buffer;

const asdf = [97, 115, 100, 102, 97, 115, 100, 102];

function helper(env, open) {
  const t = { ...env };
  t.v4 = env.version === 4;
  t.upgrades = env.transports.length > 1;
  t.socket = (namespace = "/", options = {}) => {
    const base = { transports: env.transports, forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 50 };
    if (env.parser) base.parser = env.parser;
    if (namespace !== "/" && !t.v4 && options.auth) {
      namespace += "?" + new URLSearchParams(options.auth);
    }
    const socket = env.io(env.url + (namespace === "/" ? "" : namespace), { ...base, ...options });
    open.add(socket);
    return socket;
  };
  t.connected = async (namespace, options) => {
    const socket = t.socket(namespace, options);
    await event(socket, "connect");
    return socket;
  };
  t.refused = async (namespace, options) => {
    const socket = t.socket(namespace, options);
    const [error] = await event(socket, t.v4 ? "connect_error" : "error");
    await sleep(100); // it must not come back by itself
    same(false, socket.connected, "connected");
    return error;
  };
  t.reason = async (watcher, id) => {
    const end = Date.now() + patience;
    for (;;) {
      const [reason] = await call(watcher, "x-reason", id);
      if (reason || Date.now() > end) return reason;
      await sleep(10);
    }
  };
  // silence lets the heart stop and not notice.
  t.silence = (engine) => {
    engine.ping = engine.onHeartbeat = engine._resetPingTimeout = () => {};
    clearTimeout(engine._pingTimeoutTimer);
    clearTimeout(engine.pingTimeoutTimer);
    const send = engine._sendPacket;
    engine._sendPacket = (type, ...rest) => (type === "pong" ? undefined : send.call(engine, type, ...rest));
  };
  t.transport = (socket) => socket.io.engine.transport.name;
  t.upgraded = async (socket) => {
    for (const end = Date.now() + patience; t.transport(socket) !== "websocket" && Date.now() < end; ) await sleep(10);
    same("websocket", t.transport(socket), "transport");
  };
  return t;
}

const checks = {
  async "connect"(t) {
    const socket = t.socket("/", { auth: { token: "abc" } });
    const auth = event(socket, "auth");
    await event(socket, "connect");
    same(t.v4 ? [{ token: "abc" }] : [{}], await auth);
    same(true, socket.connected);
    same([socket.id], await call(socket, "getId"));
    if (t.upgrades) await t.upgraded(socket);
    else same(t.transports[0], t.transport(socket), "transport");
  },

  async "connect without auth"(t) {
    const socket = t.socket();
    same([{}], await event(socket, "auth"));
  },

  async "events"(t) {
    const socket = await t.connected();
    const args = [1, -2.5, "3", { a: [true, null, { b: "" }] }, [], "äöü € 🍔 \u2028", false, null];
    socket.emit("message", ...args);
    same(args, await event(socket, "message-back"));
    socket.emit("message");
    same([], await event(socket, "message-back"));
    socket.emit("hi");
    same([], await event(socket, "hi"));
    socket.emit("false");
    same([false], await event(socket, "false"));
  },

  async "texts"(t) {
    const socket = await t.connected();
    const got = [];
    socket.on("takeUtf8", (text) => got.push(text));
    socket.emit("getUtf8");
    socket.emit("hi");
    await event(socket, "hi");
    same(["てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "🍔🍟 \u2028 👨\u200D💻"], got);
    for (const text of got) same([text], await call(socket, "echo", text));
    const long = "ä".repeat(100000);
    same([long], await call(socket, "echo", long));
  },

  async "dates"(t) {
    const socket = await t.connected();
    const date = (text) => same(true, Math.abs(new Date(text) - Date.now()) < 60000, text);
    date((await call(socket, "getAckDate", { test: true }))[0]);
    socket.emit("getDate");
    date((await event(socket, "takeDate"))[0]);
    socket.emit("getDateObj");
    date((await event(socket, "takeDateObj"))[0].date);
    same([new Date(5).toJSON()], await call(socket, "echo", new Date(5).toJSON()));
  },

  async "handshake"(t) {
    const socket = await t.connected("/", { query: { a: "1 ä&=" } });
    const [handshake] = await call(socket, "getHandshake");
    same("1 ä&=", handshake.query.a);
    same(t.v4 ? "4" : "3", handshake.query.EIO);
    same(false, handshake.secure);
    same("127.0.0.1", handshake.address);
    const other = t.socket("/abc");
    same(["EIO", "transport"], Object.keys((await event(other, "handshake"))[0].query).filter((k) => /EIO|transport/.test(k)).sort());
  },

  async "acknowledgements of the server"(t) {
    const socket = await t.connected();
    same([1, "2", { 3: [false] }], await call(socket, "message-with-ack", 1, "2", { 3: [false] }));
    same([], await call(socket, "message-with-ack"));
    const all = [];
    for (let i = 0; i < 100; i++) all.push(call(socket, "echo", i));
    same(Array.from({ length: 100 }, (_, i) => [i]), await Promise.all(all));
  },

  async "acknowledgements of the client"(t) {
    const socket = await t.connected();
    socket.on("ack", (cb) => cb(5, { test: true }));
    for (let i = 0; i < 3; i++) {
      socket.emit("ack");
      await event(socket, "got it");
    }
  },

  async "binary events"(t) {
    const socket = await t.connected();
    socket.emit("doge");
    same([{ bytes: asdf }], plain(await event(socket, "doge")));
    socket.emit("getbin");
    same([{ bytes: asdf }], plain(await event(socket, "takebin")));
    socket.emit("buffa", bytes(1, 2, 3));
    await event(socket, "buffack");
    socket.emit("jsonbuff", { hello: "lol", message: bytes(120), goodbye: "gotcha" });
    await event(socket, "jsonbuff-ack");
    socket.emit("abuff1", bytes(1));
    socket.emit("abuff2", bytes(2));
    await event(socket, "abuff2-ack");
    socket.emit("blob", bytes());
    await event(socket, "back");
    const args = [bytes(0, 255), { deep: [{ er: bytes(7) }, "x"] }, bytes(), 5];
    socket.emit("message", ...args);
    same(plain(args), plain(await event(socket, "message-back")));
  },

  async "binary acknowledgements"(t) {
    const socket = await t.connected();
    const ten = Array.from({ length: 10 }, (_, i) => bytes(i, i));
    same(plain(ten), plain(await call(socket, "message-with-ack", ...ten)));
    const large = new Uint8Array(200000).map((_, i) => i * 7).buffer;
    const [back] = await call(socket, "echo", large);
    same(plain(large).bytes.join(), plain(back).bytes.join());
  },

  async "namespaces on one connection"(t) {
    const first = await t.connected();
    const custom = first.io.socket("/custom", { auth: { token: "abc" } });
    same([t.v4 ? { token: "abc" } : {}], await event(custom, "auth"));
    const foo = first.io.socket("/foo");
    await event(foo, "connect");
    same([foo.id], await call(foo, "getId"));
    same(true, foo.id !== first.id && foo.io.engine === first.io.engine);
    foo.disconnect();
    same([1], await call(first, "echo", 1));
    const again = first.io.socket("/foo"); // version 4 opens it
    if (!t.v4) again.open();
    await event(again, "connect");
    same([again.id], await call(again, "getId"));
  },

  async "auth of a namespace"(t) {
    const socket = t.socket("/custom", { auth: { token: "abc" } });
    same([{ token: "abc" }], await event(socket, "auth"));
  },

  async "unknown namespace"(t) {
    const error = await t.refused("/random");
    same("Invalid namespace", error.message || error);
  },

  async "refused by a middleware"(t) {
    const error = await t.refused("/no");
    same("Auth failed (custom namespace)", error.message || error);
    const other = await t.refused("/", { query: { fail: 1 } });
    same("Auth failed (main namespace)", other.message || other);
  },

  async "rooms"(t) {
    const [a, b, c] = [await t.connected(), await t.connected(), await t.connected()];
    const room = "room " + a.id;
    await call(a, "join", room);
    await call(b, "join", room);
    same([a.id, b.id].sort(), (await call(c, "fetch", room))[0].sort());
    const got = [];
    for (const [name, socket] of Object.entries({ a, b, c })) {
      socket.on("news", (...args) => got.push([name, ...plain(args)]));
      socket.on("ask", (cb) => cb(name));
      socket.on("silent", () => {});
    }
    await call(c, "to", room, "news", 1, bytes(9));
    await call(b, "x-emit", { event: "news", args: [2, bytes(8)], to: [room], broadcast: true });
    await call(b, "x-emit", { event: "news", args: [3], to: [room, a.id], except: [b.id] });
    for (const s of [a, b, c]) await call(s, "echo", 1);
    same(
      [["a", 1, { bytes: [9] }], ["a", 2, { bytes: [8] }], ["a", 3], ["b", 1, { bytes: [9] }]],
      got.sort((x, y) => (x[0] + x[1] < y[0] + y[1] ? -1 : 1)),
    );
    same(["a", "b"], (await call(c, "to-with-ack", room, "ask", patience))[0].sort());
    same(["operation has timed out"], await call(c, "to-with-ack", room, "silent", 100));
    await call(b, "leave", room);
    same([[a.id]], await call(c, "fetch", room));
    const [gone, id] = [event(a, "disconnect"), a.id];
    await call(c, "disconnect-room", room);
    same("io server disconnect", (await gone)[0]);
    same("server namespace disconnect", await t.reason(c, id));
  },

  async "disconnect"(t) {
    const [watcher, socket] = [await t.connected(), await t.connected()];
    const id = socket.id;
    const gone = event(socket, "disconnect");
    socket.disconnect();
    same(["io client disconnect"], (await gone).slice(0, 1));
    const reason = await t.reason(watcher, id);
    same("client namespace disconnect", reason);
    socket.connect();
    await event(socket, "connect");
    same([1], await call(socket, "echo", 1));
  },

  async "the main namespace ends, another stays"(t) {
    for (const end of [(socket) => socket.disconnect(), (socket) => socket.emit("disconnect-room", socket.id, () => {})]) {
      const socket = await t.connected();
      const foo = socket.io.socket("/foo");
      await event(foo, "connect");
      const gone = event(socket, "disconnect");
      end(socket);
      await gone;
      same([foo.id], await call(foo, "getId"));
      foo.disconnect();
    }
  },

  async "reconnect"(t) {
    const socket = await t.connected();
    for (let i = 0; i < 3; i++) {
      const gone = event(socket, "disconnect");
      socket.io.engine.close();
      await gone;
      const answer = call(socket, "echo", i); // kept until the connection is back
      await event(socket, "connect");
      same([i], await answer);
    }
  },

  async "lost connection"(t) {
    if (!t.node || t.transports[0] !== "websocket") throw skipped;
    const [watcher, socket] = [await t.connected(), await t.connected()];
    const id = socket.id;
    socket.io.engine.transport.ws.terminate();
    await event(socket, "connect");
    same(true, ["transport close", "transport error"].includes(await t.reason(watcher, id)), "reason");
    const silent = socket.id;
    t.silence(socket.io.engine);
    same("ping timeout", await t.reason(watcher, silent));
  },

  async "heartbeat"(t) {
    const socket = await t.connected();
    let lost = 0;
    socket.on("disconnect", () => lost++);
    await sleep(1300); // the test server wants an answer every 500 ms
    same([7], await call(socket, "echo", 7));
    same(0, lost, "disconnections");
  },

  async "1,000 messages each way from the start"(t) {
    const socket = t.socket();
    const got = [];
    const all = new Promise((resolve) => socket.on("message-back", (n) => got.push(n) === 1000 && resolve()));
    for (let i = 0; i < 500; i++) socket.emit("message", i); // before there is a connection
    await event(socket, "connect");
    for (let i = 500; i < 1000; i++) socket.emit("message", i, i % 10 ? "x" : bytes(i & 255));
    await within(patience, all, "messages");
    if (t.upgrades) await t.upgraded(socket);
    await call(socket, "echo", 1);
    same(Array.from({ length: 1000 }, (_, i) => i), got);
  },

  async "1,000 messages each way during the upgrade"(t) {
    if (!t.upgrades) throw skipped;
    const socket = await t.connected("/", { upgrade: false });
    const engine = socket.io.engine;
    same("polling", t.transport(socket), "transport");
    const got = [];
    const answers = [];
    socket.on("message-back", (n) => got.push(n));
    for (let n = 0; n < 1000; n++) {
      socket.emit("message", n);
      socket.emit("echo", n, (back) => answers.push(back));
      if (n === 300) engine._probe ? engine._probe("websocket") : engine.probe("websocket");
      if (n % 50 === 0) await sleep(1);
    }
    await t.upgraded(socket);
    await call(socket, "echo", 1);
    const all = Array.from({ length: 1000 }, (_, i) => i);
    same(all, answers, "answers");
    same(all, got, "events");
  },

  async "retries"(t) {
    if (!t.v4) throw skipped;
    const socket = t.socket("/", { retries: 3, ackTimeout: patience });
    const answers = [];
    const done = new Promise((resolve) => {
      for (let i = 0; i < 5; i++) socket.emit("echo", i, (err, n) => (answers.push([err, n]), n === 4 && resolve()));
    });
    await done;
    same([0, 1, 2, 3, 4].map((n) => [null, n]), answers);
    same([5], [await socket.timeout(patience).emitWithAck("echo", 5)]);
    let error;
    await socket.timeout(100).emitWithAck("hi").catch((e) => (error = e));
    same("operation has timed out", error.message);
  },
};

if (typeof module !== "undefined") module.exports = { runChecks };
