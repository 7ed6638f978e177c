import { spawn } from "node:child_process";
import net from "node:net";
import path from "node:path";
import { readFileSync } from "node:fs";
import { peerSource } from "../peer";
import { atLeast, atMost, median, row, type Trial, medianAt } from "../trial";

const seconds = 3;
const rounds = 5;
const main = path.join(__dirname, "..", "..", "..", "dist", "cli", "main.js");

/** Connections per second that a busy server of this machine's loopback accepts, for some seconds, from clients in another process. */
async function served(port: number): Promise<number> {
  const child = spawn(process.execPath, [peerSource("connect-loop.js"), String(port), String(seconds)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (data) => (said += String(data)));
  await new Promise((resolve) => child.once("close", resolve));
  return Number(said) / seconds;
}

/** Runs watch beside `meanwhile`. @returns its result, and the % of a core that watch reports */
async function watched(
  port: number,
  hz: number,
  meanwhile: () => Promise<number>,
): Promise<{ rate: number; cost: number }> {
  const child = spawn(
    process.execPath,
    [main, "watch", String(port), "--json", "--hz", String(hz), "--interval", "1"],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  let said = "";
  child.stdout.on("data", (data) => (said += String(data)));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const rate = await meanwhile();
  child.kill("SIGINT");
  await new Promise((resolve) => child.once("close", resolve));
  const reports = said
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { cost?: number });
  // the first interval holds the start of the process
  return {
    rate,
    cost:
      100 *
      median(
        reports
          .slice(1)
          .map(({ cost }) => cost)
          .filter((cost) => cost !== undefined),
      ),
  };
}

/** Without clients: what is left is the cost of sampling. */
const idle = () => new Promise<number>((resolve) => setTimeout(resolve, seconds * 1000, 0));

/** CPU time of `one-listener watch`, in % of a core, and what it takes from a busy server. */
export const watchCost: Trial = {
  name: "watch-cost",
  question: "how much CPU time does one-listener watch use beside an idle and a busy server of this machine?",
  async run(progress) {
    const server = net.createServer((socket) => socket.end()).listen(0, "127.0.0.1", 511);
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    const alone: number[] = [];
    const beside: number[] = [];
    const costs: number[] = [];
    const fast: number[] = [];
    const quiet: number[] = [];
    const quietFast: number[] = [];
    try {
      for (let round = 1; round <= rounds; round++) {
        progress(`${round} of ${rounds}`);
        alone.push(await served(port));
        quiet.push((await watched(port, 20, idle)).cost);
        quietFast.push((await watched(port, 1000, idle)).cost);
        const { rate, cost } = await watched(port, 20, () => served(port));
        beside.push(rate);
        costs.push(cost);
        fast.push((await watched(port, 1000, () => served(port))).cost);
      }
    } finally {
      server.close();
    }
    const rows = [
      row("the server alone", "connections/s", alone),
      row("with watch at 20 Hz (the default)", "connections/s", beside),
      row("watch at 20 Hz, busy port, all of its process", "% of a core", costs),
      row("watch at 1000 Hz, busy port, all of its process", "% of a core", fast),
      row("watch at 20 Hz, idle port, all of its process", "% of a core", quiet),
      row("watch at 1000 Hz, idle port, all of its process", "% of a core", quietFast),
    ];
    const ratios = [
      atLeast("connections/s, with watch / alone", medianAt(rows, 1) / medianAt(rows, 0), 0.9),
      atMost("% of a core, idle port at 20 Hz", medianAt(rows, 4), 3),
      atMost("% of a core, busy port at 20 Hz", medianAt(rows, 2), 4),
    ];
    return {
      rows,
      ratios,
      notes: [
        `the kernel's connection table has ${readFileSync("/proc/sys/net/ipv4/tcp_ehash_entries", "utf8").trim()} buckets`,
      ],
    };
  },
};
