import { spawn } from "node:child_process";
import net from "node:net";
import path from "node:path";
import { atLeast, median, row, type Trial } from "../trial";

const seconds = 3;
const rounds = 5;
const main = path.join(__dirname, "..", "..", "..", "dist", "cli", "main.js");

/** Connections a second that a busy server of this machine's loopback takes, for some seconds, from clients in a process of their own. */
async function served(port: number): Promise<number> {
  const program = `const net = require("net"); let n = 0; const end = Date.now() + ${seconds * 1000}; const go = () => { if (Date.now() > end) return; const s = net.connect(${port}, "127.0.0.1"); s.on("close", () => { n++; go(); }).on("error", () => 0).resume(); }; for (let i = 0; i < 20; i++) go(); setTimeout(() => { console.log(n); process.exit(); }, ${seconds * 1000 + 100});`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (data) => (said += data));
  await new Promise((resolve) => child.once("close", resolve));
  return Number(said) / seconds;
}

/** With watch beside it: the rate, and the share of a core that watch says it takes. */
async function watched(port: number, hz: number): Promise<{ rate: number; cost: number }> {
  const child = spawn(process.execPath, [main, "watch", String(port), "--json", "--hz", String(hz), "--interval", "1"], { stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  child.stdout.on("data", (data) => (said += data));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const rate = await served(port);
  child.kill("SIGINT");
  await new Promise((resolve) => child.once("close", resolve));
  const reports = said.trim().split("\n").map((line) => JSON.parse(line) as { cost?: number });
  // the first interval holds the start of the process
  return { rate, cost: 100 * median(reports.slice(1).map(({ cost }) => cost).filter((cost) => cost !== undefined)) };
}

export const watchCost: Trial = {
  name: "watch-cost",
  question: "what does one-listener watch cost beside a busy server of this machine?",
  async run(progress) {
    const server = net.createServer((socket) => socket.end()).listen(0, "127.0.0.1", 511);
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    const alone: number[] = [];
    const beside: number[] = [];
    const costs: number[] = [];
    const fast: number[] = [];
    try {
      for (let round = 1; round <= rounds; round++) {
        progress(`${round} of ${rounds}`);
        alone.push(await served(port));
        const { rate, cost } = await watched(port, 20);
        beside.push(rate);
        costs.push(cost);
        fast.push((await watched(port, 1000)).cost);
      }
    } finally {
      server.close();
    }
    const rows = [
      row("the server alone", "connections/s", alone),
      row("with watch at 20 Hz (the default)", "connections/s", beside),
      row("watch at 20 Hz, all of its process", "% of a core", costs),
      row("watch at 1000 Hz, all of its process", "% of a core", fast),
    ];
    return { rows, ratios: [atLeast("connections/s, with watch / alone", rows[1].median / rows[0].median, 0.9)], notes: [] };
  },
};
