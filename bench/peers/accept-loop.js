// The same with node:net. The synchronous read holds the event loop, so that the queue fills before node accepts.
const net = require("node:net");
const fs = require("node:fs");

const [port, backlog, count] = process.argv.slice(2).map(Number);
let left = count;
let start;
const server = net.createServer((connection) => {
  connection.destroy();
  if (--left > 0) return;
  console.log((Number(process.hrtime.bigint() - start) / 1e6).toFixed(3));
  process.exit();
});
server.listen({ port, backlog, host: "0.0.0.0" }, () => {
  fs.writeSync(1, "listening\n");
  fs.readSync(0, Buffer.alloc(64));
  start = process.hrtime.bigint();
});
