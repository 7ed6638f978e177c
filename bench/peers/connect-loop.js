// Clients that connect, wait for the server to close, and connect again, 20 at a time. Prints how many were served.
// Usage: connect-loop.js PORT SECONDS
const net = require("node:net");

const [port, seconds] = process.argv.slice(2).map(Number);
const atOnce = 20;
const end = Date.now() + 1000 * seconds;
let served = 0;

function connect() {
  if (Date.now() > end) return;
  const socket = net.connect(port, "127.0.0.1");
  socket.on("close", () => {
    served++;
    connect();
  });
  socket.on("error", () => undefined).resume();
}

for (let client = 0; client < atOnce; client++) connect();
setTimeout(
  () => {
    console.log(served);
    process.exit();
  },
  1000 * seconds + 100,
);
