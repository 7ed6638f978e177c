import { plot, type Lab } from "one-listener";
import { native } from "one-listener/native";
import { asJson, defineCheck, shuffled } from "one-listener/exercise";

const port = 8080;
const backlog = 16;
/** times that the check shows each kind of listener */
const rounds = 2;
/** ms: the kernel retransmits a SYN-ACK after 1 s, and never one with a cookie */
const patience = 900;

interface Kind {
  name: string;
  cookies: 0 | 1 | 2;
  /** SYNs that fill the SYN queue before */
  flood: number;
}

const always = { name: "always", cookies: 2, flood: 0 } as const;
const room = { name: "room", cookies: 1, flood: 0 } as const;
const full = { name: "full", cookies: 1, flood: 100 } as const;
const never = { name: "never", cookies: 0, flood: 0 } as const;
const kinds: readonly Kind[] = [room, always, full, never];

/** What the kernel does with a SYN of the check's: it counts the cookies that it sends. */
async function truthOf(lab: Lab): Promise<"cookie" | "remembered"> {
  const counters = lab.counters();
  const wire = await lab.wire();
  const peer = wire.peer(port, { port: 50_000 });
  peer.syn();
  await peer.receive();
  peer.rst();
  await wire.close();
  return lab.counters().since(counters).get("TcpExt.SyncookiesSent") > 0 ? "cookie" : "remembered";
}

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const looks: { kind: Kind; truth: string; answer: unknown; took: number }[] = [];
  const all = kinds.length * rounds;

  before(`${all} listeners`, async () => {
    for (const kind of shuffled([...kinds, ...kinds], integer)) {
      const lab = await openLab({ sysctls: { "net.ipv4.tcp_syncookies": kind.cookies } });
      const listener = await lab.listen({ port, backlog });
      if (kind.flood > 0) await (await lab.flood(listener, { count: kind.flood })).finished();
      const truth = await truthOf(lab);
      const run = await start(lab, { port }, { rights: { look: false, wire: true } });
      const begin = native.now();
      const answer = await run.answer;
      looks.push({ kind, truth, answer, took: native.now() - begin });
      await run.stop();
    }
    const share = (kind: Kind, of: "truth" | "answer") =>
      looks.filter((look) => look.kind === kind && look[of] === "cookie").length / rounds;
    picture(
      plot.bars(
        kinds.map(({ name, cookies }) => `${name}: tcp_syncookies ${cookies}`),
        [
          { name: "cookies, by the kernel's counter", values: kinds.map((kind) => share(kind, "truth")) },
          { name: "cookies, by your function", values: kinds.map((kind) => share(kind, "answer")) },
        ],
      ),
    );
  });

  const right = (kind: Kind) => {
    for (const { truth, answer } of looks.filter((look) => look.kind === kind)) {
      that(answer === truth, {
        did: `tcp_syncookies ${kind.cookies}${kind.flood > 0 ? `, and ${kind.flood} SYNs before yours` : ""}`,
        expected: `"${truth}", as the counter SyncookiesSent shows`,
        measured: `your function returned ${asJson(answer, 100)}`,
        read: "notebook 07, The price",
      });
    }
    // half of the answers would be right if the function always returned the same
    that(new Set(looks.map(({ answer }) => answer)).size > 1, {
      did: `The check gave your function ${all} listeners, half of which send cookies`,
      expected: "two different answers",
      measured: `${asJson(looks[0]?.answer, 100)} each time`,
    });
  };
  it("a listener that always sends cookies", 2, () => {
    right(always);
  });
  it("a listener with room in its SYN queue", 1, () => {
    right(room);
  });
  it("a listener whose SYN queue is full", 1, () => {
    right(full);
  });
  it("a listener that never sends cookies", 1, () => {
    right(never);
  });
  it("without waiting for a retransmission", 1, () => {
    const wrong = looks.filter(({ truth, answer }) => answer !== truth).length;
    that(wrong === 0, {
      did: `The check gave your function ${all} listeners`,
      expected: `${all} right answers, in time`,
      measured: `${wrong} wrong answers`,
    });
    const slowest = Math.max(...looks.map(({ took }) => took));
    that(slowest < patience, {
      did: "The check measured how long your function took",
      expected: "an answer before the kernel would retransmit its SYN-ACK, which it does after 1 s",
      measured: `${Math.round(slowest)} ms`,
    });
  });
});
