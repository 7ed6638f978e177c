import { Lab, plot } from "one-listener";
import { native } from "one-listener/native";
import { defineCheck, shuffled } from "one-listener/exercise";

interface Scene {
  cookies: 0 | 1 | 2;
  /** half-open requests that fill the SYN queue before */
  flood: number;
}

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const port = 8080;
  const backlog = 16;
  const scenes = {
    room: { cookies: 1, flood: 0 },
    always: { cookies: 2, flood: 0 },
    full: { cookies: 1, flood: 100 },
    never: { cookies: 0, flood: 0 },
  } satisfies Record<string, Scene>;
  const looks: { name: keyof typeof scenes; truth: string; said: unknown; took: number }[] = [];

  /** The kernel's own word for it, by a SYN of the check's. */
  async function truthOf(lab: Lab): Promise<string> {
    const counters = lab.counters();
    const wire = await lab.wire();
    const peer = wire.peer(port, { port: 50_000 });
    peer.syn();
    await peer.receive();
    peer.rst();
    await wire.close();
    return lab.counters().since(counters).get("TcpExt.SyncookiesSent") > 0 ? "cookie" : "remembered";
  }

  before("eight listeners", async () => {
    // each kind twice, in an order drawn by lot
    const names = Object.keys(scenes) as (keyof typeof scenes)[];
    for (const name of shuffled([...names, ...names], integer)) {
      const { cookies, flood }: Scene = scenes[name];
      const lab = await openLab({ sysctls: { "net.ipv4.tcp_syncookies": cookies } });
      const listener = await lab.listen({ port, backlog });
      if (flood > 0) await (await lab.flood(listener, { count: flood })).finished();
      const truth = await truthOf(lab);
      const run = await start(lab, { port }, { rights: { look: false, wire: true } });
      const begin = native.now();
      const said = await run.answer;
      looks.push({ name, truth, said, took: native.now() - begin });
      await run.stop();
    }
    const share = (name: string, of: "truth" | "said") =>
      looks.filter((look) => look.name === name && look[of] === "cookie").length / 2;
    picture(
      plot.bars(
        names.map((name) => `${name}: tcp_syncookies ${scenes[name].cookies}`),
        [
          { name: "cookies, by the kernel's counter", values: names.map((name) => share(name, "truth")) },
          { name: "cookies, as you say", values: names.map((name) => share(name, "said")) },
        ],
      ),
    );
  });

  const right = (name: keyof typeof scenes) => {
    const { cookies, flood } = scenes[name];
    for (const { truth, said } of looks.filter((look) => look.name === name)) {
      that(said === truth, {
        did: `tcp_syncookies ${cookies}${flood ? `, and ${flood} SYNs before yours` : ""}`,
        expected: `"${truth}", as SyncookiesSent says`,
        measured: `your function said ${JSON.stringify(said)?.slice(0, 100)}`,
        read: "notebook 07, The price",
      });
    }
    // half of it would be right by saying the same thing each time
    that(new Set(looks.map(({ said }) => said)).size > 1, {
      did: "Eight listeners were shown to your function, four of which send cookies",
      expected: "two different answers",
      measured: `${JSON.stringify(looks[0]?.said)?.slice(0, 100)} each time`,
    });
  };
  it("a listener that sends cookies always", 2, () => right("always"));
  it("a listener that has room", 1, () => right("room"));
  it("a listener whose SYN queue is full", 1, () => right("full"));
  it("a listener that never does", 1, () => right("never"));
  it("without waiting for a resend", 1, () => {
    const wrong = looks.filter(({ truth, said }) => said !== truth).length;
    that(wrong === 0, {
      did: "Eight listeners were shown to your function",
      expected: "eight right answers, in time",
      measured: `${wrong} wrong answers`,
    });
    const slowest = Math.max(...looks.map(({ took }) => took));
    that(slowest < 900, {
      did: "Your function was timed",
      expected: "an answer before the first SYN-ACK would be sent again, after a second",
      measured: `${Math.round(slowest)} ms`,
    });
  });
});
