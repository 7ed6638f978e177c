import { execFile, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { type GhostOptions, Lab } from "../../dist/index";
import { native } from "../../dist/native";
import { farEnd, runAtFarEnd } from "../far-end";
import { buildPeer } from "../peer";
import { atLeast, row, sideBySide, skippedRow, type Ratio, type Row, type Trial } from "../trial";

const port = 8080;
const count = 300_000;
const hpingMs = 1500;
const perSecond = "SYNs/s";

/** SYNs per second that reached TCP in the Lab while `send` ran; it resolves to ms. */
async function rateOf(lab: Lab, send: () => Promise<number>): Promise<number> {
  const before = lab.counters();
  const ms = await send();
  return (1000 * lab.counters().since(before).get("Tcp.InSegs")) / ms;
}

async function sendByC(lab: Lab, program: string, kind: string): Promise<number> {
  const [packetFd = -1] = await lab.host.sockets("packet", 1);
  try {
    const args = [
      kind,
      String(count),
      String(lab.host.farIndex),
      lab.host.hardware.far,
      lab.host.hardware.near,
      lab.address,
      String(port),
    ];
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit", packetFd] });
    let said = "";
    child.stdout?.on("data", (part) => (said += String(part)));
    const code = await new Promise((resolve) => child.once("close", resolve));
    if (code !== 0) throw new Error(`the C sender (${kind}) ended with ${String(code)}`);
    return 1000 * Number(said);
  } finally {
    native.close(packetFd);
  }
}

/** hping3 as its manual has it for a flood of SYNs from one forged address. */
function hpingFlood(address: string): string[] {
  const options = ["--flood", "--syn", "--quiet", "--interface", "far0", "--spoof", "10.3.0.1"];
  return ["hping3", ...options, "--destport", String(port), address];
}

/** Everything that can be compared, into listeners of the same settings. */
async function compare(cookies: number): Promise<{ rows: Row[]; ratios: Ratio[] }> {
  const sysctls = { "net.ipv4.tcp_syncookies": cookies };
  const lab = await Lab.open({ sysctls });
  const theirs = await Lab.open({ sysctls });
  try {
    const listener = await lab.listen({ port, backlog: 128 });
    await theirs.listen({ port, backlog: 128 });
    const about = cookies ? "answered by cookies" : "dropped, the queue is full";
    const named = (name: string) => `${name} (${about})`;
    const flooded = (options: Partial<GhostOptions>) => () =>
      rateOf(lab, async () => {
        const flood = await lab.flood(listener, { count: 2 * count, ...options });
        await flood.finished();
        await flood.close();
        return flood.sendingTime;
      });
    const one = named("our flood, 1 thread, answers counted");
    const ours = named("our flood, one thread per CPU, answers counted");
    const bare = named("our flood, one thread per CPU, no options, answers counted");
    // with an MSS option, as the C senders'
    const contestants: Record<string, () => Promise<number>> = { [one]: flooded({ threads: 1 }), [ours]: flooded({}) };
    const missing: Row[] = [];
    const sender = buildPeer("syn-sender.c");
    const kinds: Record<string, string> = {
      [named("C, sendmmsg, blind")]: "mmsg",
      [named("C, PACKET_TX_RING, blind")]: "ring",
    };
    for (const [name, kind] of Object.entries(kinds)) {
      if ("program" in sender) contestants[name] = () => rateOf(lab, () => sendByC(lab, sender.program, kind));
      else missing.push(skippedRow(name, perSecond, sender.missing));
    }
    const hping = named("hping3 --flood");
    const place = await preparedForHping(theirs);
    if ("missing" in place) missing.push(skippedRow(hping, perSecond, place.missing));
    else {
      contestants[bare] = flooded({ mss: 0 });
      contestants[hping] = () => rateOf(theirs, () => runAtFarEnd(place, hpingFlood(theirs.address), hpingMs));
    }
    const samples = await sideBySide(5, contestants);
    const rows = [...Object.keys(contestants).map((name) => row(name, perSecond, samples[name])), ...missing];
    const median = (name: string) => rows.find((each) => each.name === name)?.median ?? NaN;
    const best = Math.max(
      ...Object.keys(kinds)
        .map(median)
        .filter((rate) => !Number.isNaN(rate)),
    );
    const ratios = [
      atLeast(named("ours, 1 thread / the better of the C senders, 1 thread"), median(one) / best, 0.8),
      atLeast(named("ours, one thread per CPU / the better of the C senders, 1 thread"), median(ours) / best, 0.8),
      atLeast(named("ours, one thread per CPU, no options / hping3, 1 thread"), median(bare) / median(hping), 3),
    ];
    return { rows, ratios: ratios.filter(({ value }) => value > 0 && Number.isFinite(value)) };
  } finally {
    await lab.close();
    await theirs.close();
  }
}

/** SYNs per second that reach a listener: our floods, C senders and hping3, over links of the same kind. */
export const synRate: Trial = {
  name: "syn-rate",
  question: "how many SYNs per second reach a listener, over equal links?",
  async run(progress) {
    progress("tcp_syncookies = 1");
    const answered = await compare(1);
    progress("tcp_syncookies = 0");
    const dropped = await compare(0);
    return {
      rows: [...answered.rows, ...dropped.rows],
      ratios: [...answered.ratios, ...dropped.ratios],
      notes: [
        `Rates are what TCP received (Tcp.InSegs). There are ${availableParallelism()} CPUs here; the C senders and hping3 have one thread.`,
        "Ours and the C senders' SYNs offer an MSS (44 bytes). hping3's have no options (40 bytes), so it is compared with ours without; its link is an equal one, in another Lab.",
      ],
    };
  },
};

/** hping3 needs an address, a route and a neighbour of its own kernel: the far end gets them in a Lab of its own. */
async function preparedForHping(lab: Lab): Promise<ReturnType<typeof farEnd>> {
  const run = promisify(execFile);
  try {
    await run("hping3", ["--version"]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      return { missing: "hping3 is not installed (sudo apt-get install hping3)" };
  }
  const place = farEnd(lab);
  if ("missing" in place) return place;
  const steps = [
    ["ip", "address", "add", "10.3.0.2/32", "dev", "far0"],
    ["ip", "route", "add", lab.address, "dev", "far0"],
    ["ip", "neighbour", "replace", lab.address, "lladdr", lab.host.hardware.near, "dev", "far0", "nud", "permanent"],
  ];
  try {
    for (const step of steps) await run(place.command, [...place.args, ...step]);
    return place;
  } catch (error) {
    return {
      missing: `the far end cannot be prepared for hping3: ${(error as Error).message.trim().split("\n").pop()}`,
    };
  }
}
