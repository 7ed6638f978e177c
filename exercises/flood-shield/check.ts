import { arrivals, messageWithHint, plot } from "one-listener";
import { defineCheck, SolutionError } from "one-listener/exercise";

const allowed = new Set([
  "net.core.somaxconn",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_synack_retries",
]);

export default defineCheck(({ before, it, that, lab: openLab, ask, integer, picture }) => {
  const port = 8080;
  const honest = 100;
  const floodRate = 5000;
  const seconds = 2;
  const requests = integer(150, 250);
  let connected = 0;
  let peak = 0;
  let floodSent = 0;
  let refused = "";

  before(`a flood of ${floodRate.toLocaleString("en")} SYNs a second, and ${honest} honest clients`, async () => {
    const answer = await ask<{ backlog: number; sysctls: Record<string, number> }>(undefined, { floodRate, requests });
    const { backlog, sysctls = {} } = answer ?? {};
    if (!Number.isInteger(backlog))
      throw new SolutionError("answer", `It returned no backlog: ${JSON.stringify(answer)?.slice(0, 200)}`);
    refused = Object.entries(sysctls)
      .filter(([name, value]) => !allowed.has(name) || !Number.isInteger(value))
      .map(([name]) => name)
      .join(", ");
    if (refused) return;
    const lab = await openLab();
    try {
      await lab.sysctl.set(sysctls);
    } catch (error) {
      throw new SolutionError("answer", `The kernel did not take these settings: ${messageWithHint(error)}`);
    }
    const listener = await lab.listen({ port, backlog });
    listener.acceptLoop();
    const recording = await lab.record(listener, { live: false });
    const flood = await lab.flood(listener, { count: floodRate * seconds, rate: floodRate });
    const crowd = await lab.connect(listener, {
      clients: honest,
      kind: "mirror",
      rtt: 20,
      schedule: arrivals.constant(honest, honest / (seconds - 0.8)).map((ms) => ms + 200),
      quiet: 500,
    });
    connected = crowd.latencies().filter((ms) => ms <= 500).length;
    floodSent = flood.counts().sent;
    await flood.close();
    const trace = await recording.stop();
    peak = trace.summary().get("synQueue").max;
    picture(plot.queueDepth(trace, { predictions: [{ question: "your budget", value: requests } as never] }));
    await crowd.close();
  });

  it("the honest clients get in", 4, () => {
    that(connected >= 0.99 * honest && floodSent > 1000, {
      did: `${floodSent.toLocaleString("en")} SYNs of the flood came, and ${honest} honest clients`,
      expected: "at least 99 are connected within half a second",
      measured: `${connected}`,
      read: "notebook 07, The flood",
    });
  });
  it("only settings that may be changed", 1, () => {
    that(refused === "" && connected > 0, {
      did: "Your settings were looked at",
      expected: `whole numbers for ${[...allowed].join(", ")}`,
      measured: refused || "no honest client was connected with them",
    });
  });
  it("within the memory budget", 3, () => {
    that(peak <= requests && floodSent > 1000 && connected > 0, {
      did: "The SYN queue was recorded",
      expected: `never more than ${requests} requests, with honest clients connected`,
      measured: `${peak.toLocaleString("en")} requests, ${connected} honest clients`,
      read: "notebook 07, How long is the SYN queue?",
    });
  });
});
