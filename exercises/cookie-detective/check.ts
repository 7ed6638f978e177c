import { plot } from "one-listener";
import { defineCheck } from "one-listener/exercise";

interface Scene {
  cookies: 0 | 1 | 2;
  /** half-open requests that fill the SYN queue before */
  flood: number;
}

export default defineCheck(({ before, it, that, lab: openLab, start, picture }) => {
  const port = 8080;
  const backlog = 16;
  const scenes = {
    room: { cookies: 1, flood: 0 },
    always: { cookies: 2, flood: 0 },
    full: { cookies: 1, flood: 100 },
    never: { cookies: 0, flood: 0 },
  } satisfies Record<string, Scene>;
  const seen = new Map<keyof typeof scenes, { truth: string; said: unknown; took: number }>();

  before("four listeners", async () => {
    for (const [name, { cookies, flood }] of Object.entries(scenes) as [keyof typeof scenes, Scene][]) {
      const lab = await openLab({ sysctls: { "net.ipv4.tcp_syncookies": cookies } });
      const listener = await lab.listen({ port, backlog });
      if (flood > 0) await (await lab.flood(listener, { count: flood })).finished();
      const counters = lab.counters();
      const begin = performance.now();
      const run = await start(lab, { port }, { rights: { look: false, wire: true } });
      const said = await run.answer;
      const took = performance.now() - begin;
      await run.stop();
      // the kernel's own word for it
      const truth = lab.counters().since(counters).get("TcpExt.SyncookiesSent") > 0 ? "cookie" : "remembered";
      seen.set(name, { truth, said, took });
    }
    picture(plot.bars(Object.entries(scenes).map(([name, { cookies }]) => `${name}: tcp_syncookies ${cookies}`), [
      { name: "cookies, by the kernel's counter", values: [...seen.values()].map(({ truth }) => (truth === "cookie" ? 1 : 0)) },
      { name: "cookies, as you say", values: [...seen.values()].map(({ said }) => (said === "cookie" ? 1 : 0)) },
    ]));
  });

  const right = (name: keyof typeof scenes) => {
    const { truth, said } = seen.get(name)!;
    const answers = new Set([...seen.values()].map((each) => each.said));
    that(answers.size > 1, { did: "Four listeners were shown to your function, two of which send cookies", expected: "two different answers", measured: `${JSON.stringify(said)?.slice(0, 100)} each time` });
    const { cookies, flood } = scenes[name];
    that(said === truth, { did: `tcp_syncookies ${cookies}${flood ? `, and ${flood} SYNs before yours` : ""}`, expected: `"${truth}", as SyncookiesSent says`, measured: `your function said ${JSON.stringify(said)?.slice(0, 100)}`, read: "notebook 07, The price" });
  };
  it("a listener that has room", 1, () => right("room"));
  it("a listener that sends cookies always", 2, () => right("always"));
  it("a listener whose SYN queue is full", 1, () => right("full"));
  it("a listener that never does", 1, () => right("never"));
  it("without waiting for a resend", 1, () => {
    const right = [...seen.values()].filter(({ truth, said }) => said === truth).length;
    that(right === seen.size, { did: "Four listeners were shown to your function", expected: "four right answers, in time", measured: `${right} right answers` });
    const slowest = Math.max(...[...seen.values()].map(({ took }) => took));
    that(slowest < 900, { did: "Your function was timed", expected: "an answer before the first SYN-ACK would be sent again, after a second", measured: `${Math.round(slowest)} ms` });
  });
});
