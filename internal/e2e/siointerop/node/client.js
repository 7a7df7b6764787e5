// Runs the checks with socket.io-client: node client.js <settings>. The settings are JSON: url, version (4 or 2),
// transports, parser, only. It prints a line {name, error} for every check.
"use strict";

const { runChecks } = require("./checks.js");

const settings = JSON.parse(process.argv[2]);
const io = require(settings.version === 2 ? "socket.io-client2" : "socket.io-client");
const parser = settings.parser === "msgpack" ? require("socket.io-msgpack-parser") : undefined;

runChecks({ ...settings, io, parser, node: true }, (name, error) => console.log(JSON.stringify({ name, error }))).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
