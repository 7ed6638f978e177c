import { plot } from "one-listener";
import { asJson, defineCheck, shuffled } from "one-listener/exercise";

const port = 8080;

interface Case {
  name: string;
  backlog: number;
  somaxconn: number;
}

export default defineCheck(({ before, it, that, lab: openLab, ask, integer, picture }) => {
  const small = { name: "small", backlog: integer(4, 12), somaxconn: 4096 };
  const large = { name: "large", backlog: integer(120, 190), somaxconn: 4096 };
  const zero = { name: "zero", backlog: 0, somaxconn: 4096 };
  const bounded = { name: "bounded", backlog: 500, somaxconn: integer(20, 35) };
  const cases: Case[] = [small, large, zero, bounded];
  const seen: { listener: Case; limit: number; answer: unknown }[] = [];

  before("four listeners that never accept", async () => {
    for (const listener of shuffled(cases, integer)) {
      const { backlog, somaxconn } = listener;
      const lab = await openLab({ wire: false });
      // where this kernel does not let a Lab set somaxconn, the check itself cuts the backlog: clients see the same
      const uncut = (await lab.sysctl.trySet({ "net.core.somaxconn": somaxconn })).length > 0;
      const { acceptMax } = await lab.listen({ port, backlog: uncut ? Math.min(backlog, somaxconn) : backlog });
      const answer = await ask(lab, { port }, { rights: { look: false, wire: false } });
      seen.push({ listener, limit: acceptMax, answer });
    }
    seen.sort((one, other) => cases.indexOf(one.listener) - cases.indexOf(other.listener));
    picture(
      plot.bars(
        seen.map(({ listener }) => listener.name),
        [
          { name: "your function", values: seen.map(({ answer }) => Number(answer)) },
          { name: "queue limit in the kernel", values: seen.map(({ limit }) => limit) },
        ],
      ),
    );
  });

  const right = (listener: Case) => {
    for (const { limit, answer } of seen.filter((each) => each.listener === listener)) {
      // a function that always returns the same number has found nothing, even where the number is right
      that(new Set(seen.map((each) => each.answer)).size > 1, {
        did: "The check gave your function four different listeners",
        expected: "different answers",
        measured: `it returned ${asJson(answer)} each time`,
      });
      that(answer === limit, {
        did: `A listener with listen(${listener.backlog}), somaxconn ${listener.somaxconn}`,
        expected: String(limit),
        measured: `your function returned ${asJson(answer)}`,
        read: "notebook 04, How many fit?",
      });
    }
  };
  it("a small backlog", 2, () => {
    right(small);
  });
  it("a large backlog", 1, () => {
    right(large);
  });
  it("a backlog of 0", 1, () => {
    right(zero);
  });
  it("a backlog above somaxconn", 1, () => {
    right(bounded);
  });
});
