import { Lab, plot } from "one-listener";
import { defineCheck, shuffled, Story } from "one-listener/exercise";

interface Question {
  backlog: number;
  somaxconn: number;
  clients: number;
}

interface Answer {
  maximum: number;
  waiting: number;
}

/** What the kernel says. Cookies off: every client beyond the queue stays outside, none is a phantom. */
async function measure(lab: Lab, { backlog, somaxconn, clients }: Question, port: number): Promise<Answer> {
  await lab.sysctl.set({ "net.core.somaxconn": somaxconn });
  const listener = await lab.listen({ port, backlog });
  const crowd = await lab.connect(listener, { clients, quiet: 30 });
  const answer = { maximum: listener.acceptMax, waiting: listener.acceptQueue };
  await crowd.close();
  await listener.close();
  return answer;
}

export default defineCheck(({ before, it, that, lab: openLab, ask, integer, picture }) => {
  const ordinary = () => {
    const backlog = integer(5, 30);
    return { backlog, somaxconn: 4096, clients: integer(1, backlog) };
  };
  const groups: Record<"ordinary" | "oneMore" | "bounded" | "zero" | "minusOne", Question[]> = {
    ordinary: [ordinary(), ordinary(), ordinary()],
    oneMore: [0, 1, 2]
      .map((more) => ({ backlog: integer(3, 30), more }))
      .map(({ backlog, more }) => ({ backlog, somaxconn: 4096, clients: backlog + 1 + more })),
    bounded: [integer(3, 20), integer(3, 20)].map((somaxconn) => ({
      backlog: somaxconn + integer(1, 500),
      somaxconn,
      clients: somaxconn + 3,
    })),
    zero: [{ backlog: 0, somaxconn: 4096, clients: 3 }],
    minusOne: [
      { backlog: -1, somaxconn: integer(8, 25), clients: 30 },
      { backlog: -1, somaxconn: integer(100, 200), clients: 5 },
    ],
  };
  const truth = new Map<Question, Answer>();
  const said = new Map<Question, Answer | undefined>();

  before("a dozen listeners, each on the kernel and in your arithmetic", async () => {
    const lab = await openLab({ wire: false, sysctls: { "net.ipv4.tcp_syncookies": 0 } });
    let port = 8000;
    for (const question of shuffled(Object.values(groups).flat(), integer)) {
      said.set(question, (await ask<Answer>(undefined, question)) ?? undefined);
      truth.set(question, await measure(lab, question, port++));
    }
    const all = Object.values(groups).flat();
    picture(
      plot.bars(
        all.map(({ backlog, somaxconn, clients }) => `listen(${backlog}), ${somaxconn}, ${clients} clients`),
        [
          { name: "you said", values: all.map((question) => Number(said.get(question)?.waiting ?? 0)) },
          { name: "waiting in the kernel", values: all.map((question) => truth.get(question)!.waiting) },
        ],
        { yTitle: "connections" },
      ),
    );
  });

  const right = (group: keyof typeof groups, fields: (keyof Answer)[], read: string) => {
    for (const question of groups[group]) {
      const [measured, answer] = [truth.get(question)!, said.get(question)];
      const { backlog, somaxconn, clients } = question;
      const wrong = fields.find((field) => answer?.[field] !== measured[field]);
      const story: Story = {
        did: `listen(${backlog}) with somaxconn ${somaxconn}, and ${clients} clients`,
        expected: `the kernel's own answer, ${wrong} ${measured[wrong ?? "waiting"]}`,
        measured: `your function said ${JSON.stringify(answer?.[wrong ?? "waiting"])}`,
        read,
      };
      that(wrong === undefined, story);
    }
  };
  it("queues that have room", 1, () =>
    right("ordinary", ["maximum", "waiting"], "notebook 03, How long may the line get?"),
  );
  it("the one that fits beyond the maximum", 2, () =>
    right("oneMore", ["maximum", "waiting"], "notebook 03, How long may the line get?"),
  );
  it("somaxconn as the upper bound", 1, () =>
    right("bounded", ["maximum", "waiting"], "notebook 03, How long may the line get?"),
  );
  it("a backlog of 0", 1, () => right("zero", ["maximum", "waiting"], "notebook 03, How long may the line get?"));
  it("a backlog of -1", 1, () =>
    right("minusOne", ["maximum", "waiting"], "listen(2): the backlog is compared as an unsigned number"),
  );
});
