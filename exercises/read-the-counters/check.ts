import { plot, type Lab, type Listener } from "one-listener";
import { asJson, atRest, defineCheck, shuffled } from "one-listener/exercise";

const port = 8080;

const causes = [
  "healthy",
  "accept queue overflow",
  "syn queue full",
  "syn cookies",
  "bad cookies",
  "nobody listens",
  "clients reset",
] as const;
type Cause = (typeof causes)[number];

/** An experiment: `count(least, most)` gives a random number of clients. */
type Experiment = (lab: Lab, count: (least: number, most: number) => number) => Promise<void>;

async function listen(lab: Lab, backlog: number, cookies: 0 | 1): Promise<Listener> {
  await lab.sysctl.set({ "net.ipv4.tcp_syncookies": cookies });
  return lab.listen({ port, backlog });
}

/** A flood of more SYNs than the SYN queue has room for. */
async function flood(lab: Lab, listener: Listener, count: number): Promise<void> {
  const syns = await lab.flood(listener, { count });
  await syns.finished();
}

/** Produces each situation in a Lab of its own. */
const experiments: Record<Cause, Experiment> = {
  healthy: async (lab, count) => {
    const listener = await listen(lab, 128, 0);
    await lab.connect(listener, { clients: count(10, 30) });
    listener.acceptAll();
  },
  "accept queue overflow": async (lab, count) => {
    const listener = await listen(lab, 4, 0);
    await lab.connect(listener, { clients: count(20, 40) });
  },
  "syn queue full": async (lab, count) => {
    await flood(lab, await listen(lab, 16, 0), count(200, 400));
  },
  "syn cookies": async (lab, count) => {
    await flood(lab, await listen(lab, 16, 1), count(200, 400));
  },
  "bad cookies": async (lab, count) => {
    const listener = await listen(lab, 16, 1);
    await flood(lab, listener, count(200, 400));
    // ACKs of handshakes that never began: none of them carries a cookie of this kernel
    const acks = await lab.ghosts(listener, { count: count(50, 100), segments: "ack" });
    await acks.finished();
  },
  "nobody listens": async (lab, count) => {
    await lab.connect(port, { clients: count(5, 20) });
  },
  "clients reset": async (lab, count) => {
    const listener = await listen(lab, 128, 0);
    const crowd = await lab.connect(listener, { clients: count(10, 30) });
    await crowd.reset();
  },
};

export default defineCheck(({ before, it, that, lab: openLab, ask, integer, picture }) => {
  const seen: { cause: Cause; counters: Record<string, number>; answer: unknown }[] = [];

  before("seven situations, six of them in trouble", async () => {
    // in random order, so that a function that counts its calls learns nothing
    for (const cause of shuffled(causes, integer)) {
      const lab = await openLab();
      const first = lab.counters();
      await experiments[cause](lab, integer);
      await atRest(() => [lab.counters().get("Tcp.InSegs")], { quiet: 60, timeout: 600 });
      const counters = lab
        .counters()
        .since(first)
        .moved(/^(Tcp|TcpExt)\./);
      seen.push({ cause, counters, answer: await ask(undefined, { counters }) });
    }
    seen.sort((one, other) => causes.indexOf(one.cause) - causes.indexOf(other.cause));
    const names = ["ListenDrops", "ListenOverflows", "TCPReqQFullDrop", "SyncookiesSent", "SyncookiesFailed"];
    picture(
      plot.bars(
        seen.map(({ cause }) => cause),
        names.map((name) => ({ name, values: seen.map(({ counters }) => counters[`TcpExt.${name}`] ?? 0) })),
      ),
    );
  });

  const right = (cause: Cause) => {
    for (const { counters, answer } of seen.filter((each) => each.cause === cause)) {
      const said = asJson(answer, 100);
      // a function that always gives the same diagnosis has read nothing, even where the diagnosis is right
      that(new Set(seen.map((each) => each.answer)).size > 1, {
        did: "The check gave your function the counters of seven situations",
        expected: "different diagnoses",
        measured: `it returned ${said} for each of them`,
      });
      const telling = Object.entries(counters)
        .filter(([name]) => /Listen|Req|cookies|Resets|Fails/i.test(name))
        .map(([name, value]) => `${name} +${value}`);
      that(answer === cause, {
        did: `The check produced this situation: ${cause}`,
        expected: JSON.stringify(cause),
        measured: `your function returned ${said}; counters that increased: ${telling.join(", ") || "none that tells a failure"}`,
        read: "notebook 04, All its truths; notebook 07, The flood",
      });
    }
  };
  it("a healthy listener", 1, () => {
    right("healthy");
  });
  it("an accept queue that overflows", 1, () => {
    right("accept queue overflow");
  });
  it("a full SYN queue", 1, () => {
    right("syn queue full");
  });
  it("SYN cookies", 1, () => {
    right("syn cookies");
  });
  it("wrong SYN cookies", 1, () => {
    right("bad cookies");
  });
  it("a closed port", 1, () => {
    right("nobody listens");
  });
  it("clients that reset", 1, () => {
    right("clients reset");
  });
});
