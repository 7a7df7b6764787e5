// A PiKVM client in plain Node.js against the simulated device. It prints one JSON line for each thing it saw.
"use strict";
const https = require("https");
const { WebSocket } = require("ws");

const [base, user, passwd, ca] = process.argv.slice(2);
const tls = { ca: Buffer.from(ca, "base64"), checkServerIdentity: () => undefined };
const show = (name, seen) => console.log(JSON.stringify({ name, seen }));

function request(method, path, headers = {}, body = "") {
  return new Promise((done, fail) => {
    const req = https.request(base + path, { method, headers, agent: false, ...tls }, (res) => {
      let text = "";
      res.setEncoding("utf8");
      res.on("data", (piece) => (text += piece));
      res.on("end", () => done({ status: res.statusCode, headers: res.headers, text }));
    });
    req.on("error", fail);
    req.end(body);
  });
}

// Collects event types until the state of the power LED is as wanted.
function follow(cookie, lit) {
  return new Promise((done, fail) => {
    const types = [];
    const ws = new WebSocket(base.replace("https", "wss") + "/api/ws?stream=0", { headers: { Cookie: cookie }, ...tls });
    ws.on("error", fail);
    let pong;
    ws.on("message", (data, binary) => {
      if (binary) {
        pong = data.toString("hex");
        ws.close(1000);
        return;
      }
      const { event_type, event } = JSON.parse(data.toString());
      if (!types.includes(event_type)) types.push(event_type);
      if (event_type === "atx" && event.leds.power === lit) ws.send(Buffer.from([0]));
    });
    ws.on("close", () => done({ types, pong }));
  });
}

(async () => {
  const refused = await request("GET", "/api/atx");
  show("refused", { status: refused.status, error: JSON.parse(refused.text).result.error });

  const form = "user=" + encodeURIComponent(user) + "&passwd=" + encodeURIComponent(passwd);
  const login = await request("POST", "/api/auth/login", { "Content-Type": "application/x-www-form-urlencoded" }, form);
  const cookie = login.headers["set-cookie"][0].split(";")[0];
  show("login", { status: login.status, token: /^auth_token=[0-9a-f]{64}$/.test(cookie) });

  const before = await request("GET", "/api/atx", { Cookie: cookie });
  show("before", JSON.parse(before.text).result.leds);
  const followed = follow(cookie, true);
  const on = await request("POST", "/api/atx/power?action=on&wait=1", { Cookie: cookie });
  show("power on", { status: on.status, ok: JSON.parse(on.text).ok });
  const { types, pong } = await followed;
  show("events", { pong, first: types[0], atx: types.includes("atx"), info: types.includes("info") });
  const after = await request("GET", "/api/atx", { Cookie: cookie });
  show("after", JSON.parse(after.text).result.leds);

  const logout = await request("POST", "/api/auth/logout", { Cookie: cookie });
  const gone = await request("GET", "/api/auth/check", { Cookie: cookie });
  show("logout", { status: logout.status, then: gone.status });
})();
