import { once } from "node:events";
import path from "node:path";
import { plot, type Lab } from "one-listener";
import { asJson, atRest, defineCheck, fieldOf, msUntil, shuffled } from "one-listener/exercise";

const port = 8080;
const fates = ["accepted", "waiting", "outside"] as const;

interface Case {
  nofile: number;
  backlog: number;
  clients: number;
}

/** What became of the clients, and how many descriptors were open before the first came. */
interface Outcome {
  open: number;
  accepted: number;
  waiting: number;
  outside: number;
}

/** accepts until it fails, and keeps all connections; the build copies it beside the compiled check */
const program = path.join(__dirname, "programs", "keeping_server.py");

/** What a real process does with its descriptors. */
async function measure(lab: Lab, { nofile, backlog, clients }: Case): Promise<Outcome> {
  const server = await lab.spawn("python3", [program, String(port), String(backlog)], { limits: { nofile } });
  const printed = once(server.stdout, "data");
  await msUntil(() => lab.sockets({ port, states: ["LISTEN"] }).length > 0, 5000);
  const open = Number(String((await printed)[0]));
  // slowly: a client that finds the queue full only because Python is slow would retransmit its SYN after 1 s
  const crowd = await lab.connect(port, { clients, rate: 300, quiet: 50 });
  const established = () => lab.sockets({ port, states: ["ESTABLISHED"] });
  // an accepted connection has a descriptor, and with it an inode
  const accepted = () => established().filter(({ inode }) => inode > 0).length;
  await atRest(() => [accepted()], { quiet: 120, timeout: 1500 });
  const outcome = {
    open,
    accepted: accepted(),
    waiting: established().length - accepted(),
    outside: crowd.counts().synSent,
  };
  await crowd.close();
  await server.close();
  return outcome;
}

export default defineCheck(({ before, it, that, lab: openLab, ask, integer, picture }) => {
  const roomy = { nofile: 200, backlog: 64, clients: integer(20, 60) };
  const descriptors = { nofile: integer(30, 50), backlog: 128, clients: integer(80, 110) };
  const overflow = { nofile: integer(30, 50), backlog: integer(8, 20), clients: 110 };
  const cases: Case[] = [roomy, descriptors, overflow];
  const seen: { question: Case; outcome: Outcome; answer: unknown }[] = [];

  before("three processes with limits of their own", async () => {
    for (const question of shuffled(cases, integer)) {
      // SYN cookies are off: a client outside stays in SYN_SENT, and none is a phantom
      const lab = await openLab({ wire: false, sysctls: { "net.ipv4.tcp_syncookies": 0, "net.core.somaxconn": 4096 } });
      const outcome = await measure(lab, question);
      seen.push({ question, outcome, answer: await ask(undefined, { ...question, open: outcome.open }) });
    }
    seen.sort((one, other) => cases.indexOf(one.question) - cases.indexOf(other.question));
    const each = seen.flatMap((one) => fates.map((fate) => ({ ...one, fate })));
    picture(
      plot.bars(
        each.map(
          ({ fate, question: { nofile, backlog, clients } }) =>
            `${fate}: nofile ${nofile}, backlog ${backlog}, ${clients} clients`,
        ),
        [
          { name: "your function", values: each.map(({ fate, answer }) => Number(fieldOf(answer, fate) ?? 0)) },
          { name: "measured", values: each.map(({ fate, outcome }) => outcome[fate]) },
        ],
      ),
    );
  });

  const right = (question: Case) => {
    for (const { outcome, answer } of seen.filter((each) => each.question === question)) {
      const { nofile, backlog, clients } = question;
      const { open, ...expected } = outcome;
      that(
        fates.every((fate) => fieldOf(answer, fate) === outcome[fate]),
        {
          did: `A process with ${nofile} descriptors, ${open} of them open, listen(${backlog}), and ${clients} clients`,
          expected: JSON.stringify(expected),
          measured: `your function returned ${asJson(answer)}`,
          read: "notebook 06, A server with 40 descriptors",
        },
      );
    }
  };
  it("a process with descriptors for all clients", 1, () => {
    right(roomy);
  });
  it("a process that runs out of descriptors", 3, () => {
    right(descriptors);
  });
  it("an accept queue that overflows", 2, () => {
    right(overflow);
  });
});
