// Uses the official admin page as a person does, in the page, and reports what it saw as checks.js does. The server to
// look at is in the query.
"use strict";

(async () => {
  const lines = [];
  const step = async (name, f) => {
    try {
      await f();
      lines.push({ name, error: null });
    } catch (error) {
      lines.push({ name, error: `${error.stack || error}; the page shows: ${document.body.innerText.slice(0, 2000)}` });
      throw error;
    }
  };
  const until = async (what, f) => {
    for (const end = Date.now() + patience; ; await sleep(20)) {
      const found = f();
      if (found) return found;
      if (Date.now() > end) throw new Error(`${what}: nothing for ${patience} ms`);
    }
  };
  const shows = (text) => until(text, () => document.body.innerText.includes(text));
  // row finds a row in the table with this column: while a view slides in, that before it is still there.
  const row = (column, text) =>
    [...document.querySelectorAll("table")]
      .filter((table) => table.tHead && table.tHead.innerText.toLowerCase().includes(column))
      .flatMap((table) => [...table.tBodies].flatMap((body) => [...body.rows]))
      .find((tr) => tr.innerText.includes(text));
  const visit = (name) => (location.hash = `#/${name}/`);
  const ask = async (path) => (await fetch(path, { method: "POST" })).json();
  const login = async (...values) => {
    const inputs = await until("form", () => {
      const found = document.querySelectorAll("form input");
      return found.length >= values.length && found;
    });
    values.forEach((value, i) => {
      inputs[i].value = value;
      inputs[i].dispatchEvent(new Event("input", { bubbles: true }));
    });
    (await until("button", () => document.querySelector("form button[type=submit]:not([disabled])"))).click();
  };

  const server = new URLSearchParams(location.search).get("server");
  const member = await ask("/member");
  let other;
  try {
    await step("a wrong password", async () => {
      await login(server, "ann", "wrong");
      await shows("Invalid credentials");
    });
    await step("login", async () => {
      await login(server, "ann", "pass word");
      await until("session", () => localStorage.getItem("session_id"));
    });
    await step("servers", async () => {
      visit("servers");
      await until("server", () => row("hostname", "station 7"));
    });
    await step("sockets", async () => {
      visit("sockets");
      const tr = await until("member", () => row("transport", member));
      same(true, /websocket/i.test(tr.innerText), tr.innerText);
    });
    await step("a socket that comes", async () => {
      other = await ask("/member");
      await until("newcomer", () => row("transport", other));
    });
    await step("rooms", async () => {
      visit("rooms");
      await until("both in the room", () => /\b[2-9]\b/.test((row("# of sockets", "boilers") || document.head).innerText));
    });
    await step("an event", async () => {
      same("<nil>", await ask(`/emit?id=${member}`));
      visit("events");
      const tr = await until("event", () => row("timestamp", "measured"));
      same(true, tr.innerText.includes(member), tr.innerText);
    });
    await step("disconnect a socket", async () => {
      visit("sockets");
      const button = await until("button", () => row("transport", member) && row("transport", member).querySelector("button:not([disabled])"));
      button.click();
      same("io server disconnect", await within(patience, ask(`/lost?id=${member}`), "disconnection"));
      visit("sockets"); // the click has opened its details
      await until("its end", () => row("transport", other) && !row("transport", member));
      visit("events");
      await shows("server namespace disconnect");
    });
  } catch {
    // it is in the report, and the rest cannot hold
  }
  await fetch("/results", { method: "POST", body: JSON.stringify(lines) });
})();
