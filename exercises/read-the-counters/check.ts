import { Lab, plot } from "one-listener";
import { atRest, defineCheck, shuffled } from "one-listener/exercise";

const port = 8080;

type Cause =
  | "accept queue overflow"
  | "syn queue full"
  | "syn cookies"
  | "bad cookies"
  | "nobody listens"
  | "clients reset"
  | "healthy";

export default defineCheck(({ before, it, that, lab: openLab, ask, integer, picture }) => {
  const causes: readonly Cause[] = [
    "healthy",
    "accept queue overflow",
    "syn queue full",
    "syn cookies",
    "bad cookies",
    "nobody listens",
    "clients reset",
  ];
  const seen = new Map<Cause, { counters: Record<string, number>; said: unknown }>();

  /** Makes one failure happen in a Lab of its own. */
  async function make(cause: Cause, lab: Lab): Promise<void> {
    if (cause === "nobody listens") {
      await lab.connect(port, { clients: integer(5, 20) });
      return;
    }
    const backlog =
      cause === "accept queue overflow"
        ? 4
        : cause === "syn queue full" || cause === "syn cookies" || cause === "bad cookies"
          ? 16
          : 128;
    await lab.sysctl.set({ "net.ipv4.tcp_syncookies": cause === "syn cookies" || cause === "bad cookies" ? 1 : 0 });
    const listener = await lab.listen({ port, backlog });
    if (cause === "accept queue overflow") await lab.connect(listener, { clients: integer(20, 40) });
    if (cause === "syn queue full" || cause === "syn cookies" || cause === "bad cookies") {
      const flood = await lab.flood(listener, { count: integer(200, 400) });
      await flood.finished();
    }
    if (cause === "bad cookies") {
      const acks = await lab.ghosts(listener, { count: integer(50, 100), segments: "ack" });
      await acks.finished();
    }
    if (cause === "clients reset" || cause === "healthy") {
      const crowd = await lab.connect(listener, { clients: integer(10, 30) });
      if (cause === "clients reset") await crowd.reset();
      else listener.acceptAll();
    }
    await atRest(() => [lab.counters().get("Tcp.InSegs")], { quiet: 60, timeout: 600 });
  }

  before("seven listeners, six of them in trouble", async () => {
    // by lot: who counts the calls reads nothing
    for (const cause of shuffled(causes, integer)) {
      const lab = await openLab();
      const first = lab.counters();
      await make(cause, lab);
      const counters = lab
        .counters()
        .since(first)
        .moved(/^(Tcp|TcpExt)\./);
      seen.set(cause, { counters, said: await ask(undefined, { counters }) });
    }
    const names = ["ListenDrops", "ListenOverflows", "TCPReqQFullDrop", "SyncookiesSent", "SyncookiesFailed"];
    picture(
      plot.bars(
        [...causes],
        names.map((name) => ({
          name,
          values: causes.map((cause) => seen.get(cause)!.counters[`TcpExt.${name}`] ?? 0),
        })),
      ),
    );
  });

  const right = (cause: Cause) => {
    const { counters, said } = seen.get(cause)!;
    that(new Set([...seen.values()].map((each) => each.said)).size > 1, {
      did: "Seven listeners were shown to your function",
      expected: "different diagnoses",
      measured: `${JSON.stringify(said)?.slice(0, 100)} for all of them`,
    });
    const telling = Object.entries(counters)
      .filter(([name]) => /Listen|Req|cookies|Resets|Fails/i.test(name))
      .map(([name, value]) => `${name} +${value}`)
      .join(", ");
    that(said === cause, {
      did: `This was made to happen: ${cause}`,
      expected: JSON.stringify(cause),
      measured: `your function said ${JSON.stringify(said)?.slice(0, 100)}; the counters that moved: ${telling || "none of those that tell"}`,
      read: "notebook 04, All its truths; notebook 07, The flood",
    });
  };
  it("a healthy listener", 1, () => right("healthy"));
  it("an accept queue that overflows", 1, () => right("accept queue overflow"));
  it("a full SYN queue", 1, () => right("syn queue full"));
  it("SYN cookies", 1, () => right("syn cookies"));
  it("cookies that are wrong", 1, () => right("bad cookies"));
  it("a closed port", 1, () => right("nobody listens"));
  it("clients that reset", 1, () => right("clients reset"));
});
