// The official client sends 2,000 numbered events at once and looks in which order they come back: node order.js HOST:PORT TRANSPORT,...
"use strict";

const { io } = require("socket.io-client");

const count = 2000;
const socket = io(`http://${process.argv[2]}`, { transports: process.argv[3].split(","), reconnection: false });
const numbers = [];

const finish = () => {
  const misplaced = numbers.filter((n, i) => i > 0 && n < numbers[i - 1]).length;
  console.log(JSON.stringify({ sent: count, received: numbers.length, misplaced }));
  process.exit(0);
};

socket.on("echo", (text) => {
  numbers.push(Number(text));
  if (numbers.length === count) finish();
});
socket.on("connect", () => {
  for (let i = 0; i < count; i++) socket.emit("echo", String(i));
});
setTimeout(finish, 10_000);
