import { defineCheck, shuffled } from "one-listener/exercise";
import { plot } from "one-listener";

export default defineCheck(({ before, it, that, lab: openLab, ask, integer, picture }) => {
  const port = 8080;
  const cases = {
    small: { backlog: integer(4, 12), somaxconn: 4096 },
    large: { backlog: integer(120, 190), somaxconn: 4096 },
    zero: { backlog: 0, somaxconn: 4096 },
    bounded: { backlog: 500, somaxconn: integer(20, 35) },
  };
  const seen = new Map<keyof typeof cases, { truth: number; said: unknown }>();

  before("four listeners that never accept", async () => {
    for (const [name, { backlog, somaxconn }] of shuffled(
      Object.entries(cases) as [keyof typeof cases, (typeof cases)["small"]][],
      integer,
    )) {
      const lab = await openLab({ wire: false, sysctls: { "net.core.somaxconn": somaxconn } });
      const listener = await lab.listen({ port, backlog });
      const truth = listener.acceptMax;
      seen.set(name, { truth, said: await ask(lab, { port }, { rights: { look: false, wire: false } }) });
    }
    const all = Object.keys(cases).map((name) => seen.get(name as keyof typeof cases)!);
    picture(
      plot.bars(Object.keys(cases), [
        { name: "you said", values: all.map(({ said }) => Number(said)) },
        { name: "the kernel's maximum", values: all.map(({ truth }) => truth) },
      ]),
    );
  });

  const right = (name: keyof typeof cases) => {
    const { truth, said } = seen.get(name)!;
    const { backlog, somaxconn } = cases[name];
    const answers = [...seen.values()].map((each) => each.said);
    that(new Set(answers).size > 1, {
      did: "Four different listeners were shown to your function",
      expected: "different answers",
      measured: `${JSON.stringify(said)} each time`,
    });
    that(said === truth, {
      did: `A listener with listen(${backlog}), somaxconn ${somaxconn}`,
      expected: `${truth}`,
      measured: `your function said ${JSON.stringify(said)}`,
      read: "notebook 04, How many fit?",
    });
  };
  it("a small one", 2, () => right("small"));
  it("a large one", 1, () => right("large"));
  it("a backlog of 0", 1, () => right("zero"));
  it("one that somaxconn has cut down", 1, () => right("bounded"));
});
