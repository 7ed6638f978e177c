import { plot, type Lab } from "one-listener";
import { asJson, defineCheck, fieldOf, shuffled } from "one-listener/exercise";

interface Case {
  backlog: number;
  somaxconn: number;
  clients: number;
}

interface Queue {
  maximum: number;
  waiting: number;
}

/** One case, what the kernel did, and what the student's function returned. */
interface Tried {
  question: Case;
  queue: Queue;
  answer: unknown;
}

/**
 * What the kernel does. SYN cookies are off, so a client that does not fit stays in SYN_SENT, and none is a phantom. With a backlog of 0
 * they are on: kernels before January 2025 let in nobody without them (inet_csk_reqsk_queue_is_full()).
 */
async function measure(lab: Lab, { backlog, somaxconn, clients }: Case, port: number): Promise<Queue> {
  await lab.sysctl.set({ "net.core.somaxconn": somaxconn, "net.ipv4.tcp_syncookies": backlog === 0 ? 1 : 0 });
  const listener = await lab.listen({ port, backlog });
  const crowd = await lab.connect(listener, { clients, quiet: 30 });
  const queue = { maximum: listener.acceptMax, waiting: listener.acceptQueue };
  await crowd.close();
  await listener.close();
  return queue;
}

export default defineCheck(({ before, it, that, lab: openLab, ask, integer, picture }) => {
  const ordinary = (): Case => {
    const backlog = integer(5, 30);
    return { backlog, somaxconn: 4096, clients: integer(1, backlog) };
  };
  const above = (more: number): Case => {
    const backlog = integer(3, 30);
    return { backlog, somaxconn: 4096, clients: backlog + 1 + more };
  };
  const bounded = (): Case => {
    const somaxconn = integer(3, 20);
    return { backlog: somaxconn + integer(1, 500), somaxconn, clients: somaxconn + 3 };
  };
  const groups = {
    ordinary: [ordinary(), ordinary(), ordinary()],
    oneMore: [above(0), above(1), above(2)],
    bounded: [bounded(), bounded()],
    zero: [{ backlog: 0, somaxconn: 4096, clients: 3 }],
    minusOne: [
      { backlog: -1, somaxconn: integer(8, 25), clients: 30 },
      { backlog: -1, somaxconn: integer(100, 200), clients: 5 },
    ],
  };
  const all: Case[] = Object.values(groups).flat();
  const tried: Tried[] = [];

  /** Where this kernel does not let a Lab set somaxconn, the cases have the kernel's own, and numbers to match. */
  const withTheKernels = (somaxconn: number): void => {
    for (const question of [...groups.bounded, ...groups.minusOne]) {
      const moved = question.clients - question.somaxconn;
      if (question.backlog > 0) question.backlog += somaxconn;
      if (moved > 0 && question.backlog > 0) question.clients = somaxconn + moved;
      question.somaxconn = somaxconn;
    }
  };

  before(`${all.length} listeners, each on the kernel and in your arithmetic`, async () => {
    const lab = await openLab({ wire: false, sysctls: { "net.ipv4.tcp_syncookies": 0 } });
    if ((await lab.sysctl.access("net.core.somaxconn")) !== "set")
      withTheKernels(await lab.sysctl.get("net.core.somaxconn"));
    let port = 8000;
    for (const question of shuffled(all, integer)) {
      const answer = await ask(undefined, question);
      tried.push({ question, queue: await measure(lab, question, port++), answer });
    }
    tried.sort((one, other) => all.indexOf(one.question) - all.indexOf(other.question));
    picture(
      plot.bars(
        tried.map(
          ({ question: { backlog, somaxconn, clients } }) =>
            `listen(${backlog}), somaxconn ${somaxconn}, ${clients} clients`,
        ),
        [
          { name: "your function", values: tried.map(({ answer }) => Number(fieldOf(answer, "waiting") ?? 0)) },
          { name: "waiting in the kernel", values: tried.map(({ queue }) => queue.waiting) },
        ],
        { yTitle: "connections" },
      ),
    );
  });

  const right = (group: readonly Case[], read: string) => {
    for (const { question, queue, answer } of tried.filter((each) => group.includes(each.question))) {
      const { backlog, somaxconn, clients } = question;
      for (const field of ["maximum", "waiting"] as const) {
        that(fieldOf(answer, field) === queue[field], {
          did: `listen(${backlog}) with somaxconn ${somaxconn}, then ${clients} clients`,
          expected: `${field} ${queue[field]}, as on the kernel`,
          measured: `your function returned ${field} ${asJson(fieldOf(answer, field))}`,
          read,
        });
      }
    }
  };
  const capacity = "notebook 03, How long may the line get?";
  it("queues that have room", 1, () => {
    right(groups.ordinary, capacity);
  });
  it("one connection more than the limit", 2, () => {
    right(groups.oneMore, capacity);
  });
  it("a backlog above somaxconn", 1, () => {
    right(groups.bounded, capacity);
  });
  it("a backlog of 0", 1, () => {
    right(groups.zero, capacity);
  });
  it("a backlog of -1", 1, () => {
    right(groups.minusOne, "listen(2): the kernel compares the backlog as an unsigned number");
  });
});
