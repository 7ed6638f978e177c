import { arrivals, messageWithHint, plot, type Lab } from "one-listener";
import { asJson, defineCheck, fieldOf, SolutionError } from "one-listener/exercise";

const port = 8080;
const honest = 100;
/** SYNs per second */
const floodRate = 5000;
/** s */
const duration = 2;
const allowed = new Set([
  "net.core.somaxconn",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_synack_retries",
]);

interface Settings {
  backlog: number;
  sysctls: Record<string, number>;
  /** names of what may not be set, or not to this value */
  refused: string[];
}

/** The settings that a student's function returned. @throws SolutionError there is no backlog */
function settingsFrom(answer: unknown): Settings {
  const backlog = fieldOf(answer, "backlog");
  if (typeof backlog !== "number" || !Number.isInteger(backlog))
    throw new SolutionError("answer", `It returned no backlog: ${asJson(answer)}`);
  const settings: Settings = { backlog, sysctls: {}, refused: [] };
  for (const [name, value] of Object.entries(fieldOf(answer, "sysctls") ?? {}) as [string, unknown][]) {
    if (allowed.has(name) && typeof value === "number" && Number.isInteger(value)) settings.sysctls[name] = value;
    else settings.refused.push(name);
  }
  return settings;
}

/** Sets what this kernel lets a Lab set: where it does not, its own value stays, and the experiment shows what that means. */
async function apply(lab: Lab, sysctls: Record<string, number>): Promise<void> {
  try {
    await lab.sysctl.trySet(sysctls);
  } catch (error) {
    throw new SolutionError("answer", `The kernel did not take these settings: ${messageWithHint(error)}`);
  }
}

export default defineCheck(({ before, it, that, lab: openLab, ask, integer, picture }) => {
  const requests = integer(150, 250);
  const shownRate = floodRate.toLocaleString("en");
  let connected = 0;
  let peak = 0;
  let floodSent = 0;
  let refused: string[] = [];

  before(`a flood of ${shownRate} SYNs per second, and ${honest} honest clients`, async () => {
    const settings = settingsFrom(await ask(undefined, { floodRate, requests }));
    refused = settings.refused;
    if (refused.length > 0) return;
    const lab = await openLab();
    await apply(lab, settings.sysctls);
    const listener = await lab.listen({ port, backlog: settings.backlog });
    listener.acceptLoop();
    const recording = await lab.record(listener, { live: false });
    const flood = await lab.flood(listener, { count: floodRate * duration, rate: floodRate });
    // they begin 200 ms after the flood, and end 600 ms before it does
    const crowd = await lab.connect(listener, {
      clients: honest,
      kind: "mirror",
      rtt: 20,
      schedule: arrivals.constant(honest, honest / (duration - 0.8)).map((ms) => ms + 200),
      quiet: 500,
    });
    connected = crowd.latencies().filter((ms) => ms <= 500).length;
    floodSent = flood.counts().sent;
    await flood.close();
    const trace = await recording.stop();
    peak = trace.summary().get("synQueue").max;
    picture(plot.queueDepth(trace, { predictions: [{ question: "your budget", value: requests }] }));
    await crowd.close();
  });

  it("the honest clients connect", 4, () => {
    that(connected >= 0.99 * honest && floodSent > 1000, {
      did: `${floodSent.toLocaleString("en")} SYNs of the flood arrived, and ${honest} honest clients`,
      expected: "at least 99 honest clients connect within 500 ms",
      measured: String(connected),
      read: "notebook 07, The flood",
    });
  });
  it("only settings that may be changed", 1, () => {
    that(refused.length === 0 && connected > 0, {
      did: "The check read your settings",
      expected: `integers for ${[...allowed].join(", ")}`,
      measured: refused.join(", ") || "no honest client connected with these settings",
    });
  });
  it("within the memory budget", 3, () => {
    that(peak <= requests && floodSent > 1000 && connected > 0, {
      did: "The check recorded the SYN queue",
      expected: `never more than ${requests} half-open requests, and honest clients that connect`,
      measured: `${peak.toLocaleString("en")} half-open requests, ${connected} honest clients`,
      read: "notebook 07, How long is the SYN queue?",
    });
  });
});
