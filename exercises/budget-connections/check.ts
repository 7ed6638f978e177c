import { Lab, plot } from "one-listener";
import { atRest, defineCheck, msUntil, shuffled } from "one-listener/exercise";

const port = 8080;

interface Question {
  nofile: number;
  open: number;
  backlog: number;
  clients: number;
}

interface Answer {
  accepted: number;
  waiting: number;
  outside: number;
}

/** Accepts until it fails, and stays. The number of its next descriptor is how many are open. */
const program = (backlog: number, port: number) => `
import os, socket, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", ${port}))
listener.listen(${backlog})
probe = os.dup(0)
os.close(probe)
print(probe, flush=True)
held = []
while True:
    try:
        held.append(listener.accept()[0])
    except OSError:
        time.sleep(0.05)
`;

/** What a real process does with its descriptors. */
async function measure(
  lab: Lab,
  { nofile, backlog, clients }: Omit<Question, "open">,
): Promise<{ open: number; answer: Answer }> {
  const server = await lab.spawn("python3", ["-c", program(backlog, port)], { limits: { nofile } });
  await msUntil(() => lab.sockets({ port, states: ["LISTEN"] }).length > 0, 5000);
  const open = Number(
    String(server.stdout.read() ?? (await new Promise((resolve) => server.stdout.once("data", resolve)))),
  );
  // slowly: whoever finds the queue full because python is slow would only come back after a second
  const crowd = await lab.connect(port, { clients, rate: 300, quiet: 50 });
  const established = () => lab.sockets({ port, states: ["ESTABLISHED"] });
  await atRest(() => [established().filter(({ inode }) => inode > 0).length], { quiet: 120, timeout: 1500 });
  const all = established();
  const accepted = all.filter(({ inode }) => inode > 0).length;
  const answer = { accepted, waiting: all.length - accepted, outside: crowd.counts().synSent };
  await crowd.close();
  await server.close();
  return { open, answer };
}

export default defineCheck(({ before, it, that, lab: openLab, ask, integer, picture }) => {
  const cases = {
    roomy: { nofile: 200, backlog: 64, clients: integer(20, 60) },
    descriptors: { nofile: integer(30, 50), backlog: 128, clients: integer(80, 110) },
    overflow: { nofile: integer(30, 50), backlog: integer(8, 20), clients: 110 },
  };
  const seen = new Map<keyof typeof cases, { open: number; truth: Answer; said: Answer }>();

  before("three processes with limits of their own", async () => {
    for (const [name, question] of shuffled(
      Object.entries(cases) as [keyof typeof cases, (typeof cases)["roomy"]][],
      integer,
    )) {
      // cookies off: who is outside is outside, and nobody believes otherwise
      const lab = await openLab({ wire: false, sysctls: { "net.ipv4.tcp_syncookies": 0, "net.core.somaxconn": 4096 } });
      const { open, answer } = await measure(lab, question);
      seen.set(name, { open, truth: answer, said: await ask<Answer>(undefined, { ...question, open }) });
    }
    const labels = Object.values(cases).flatMap(({ nofile, backlog, clients }) =>
      (["accepted", "waiting", "outside"] as const).map(
        (what) => `${what}: nofile ${nofile}, backlog ${backlog}, ${clients} clients`,
      ),
    );
    const flat = (of: "truth" | "said") =>
      Object.keys(cases).flatMap((name) =>
        (["accepted", "waiting", "outside"] as const).map((what) =>
          Number(seen.get(name as keyof typeof cases)![of]?.[what] ?? 0),
        ),
      );
    picture(
      plot.bars(labels, [
        { name: "you said", values: flat("said") },
        { name: "measured", values: flat("truth") },
      ]),
    );
  });

  const right = (name: keyof typeof cases) => {
    const { open, truth, said } = seen.get(name)!;
    const { nofile, backlog, clients } = cases[name];
    const same = said && (Object.keys(truth) as (keyof Answer)[]).every((key) => said[key] === truth[key]);
    that(Boolean(same), {
      did: `A process with ${nofile} descriptors, ${open} of them open, listen(${backlog}), and ${clients} clients`,
      expected: JSON.stringify(truth),
      measured: `your function said ${JSON.stringify(said)?.slice(0, 200)}`,
      read: "notebook 06, A server with 40 descriptors",
    });
  };
  it("a process that has room for all", 1, () => right("roomy"));
  it("a process that runs out of descriptors", 3, () => right("descriptors"));
  it("a queue that overflows behind it", 2, () => right("overflow"));
});
