import { defineCheck } from "one-listener/exercise";

const port = 8080;

export default defineCheck(({ before, it, that, lab: openLab, start }) => {
  let listeners = 0;

  before("your function runs in a Lab", async () => {
    const lab = await openLab({ wire: false });
    const run = await start(lab, { port });
    await run.answer;
    listeners = lab.sockets({ port, states: ["LISTEN"] }).length;
    await run.stop();
  });

  it("listens on the port", 2, () => {
    that(listeners === 1, {
      did: `The check called your function with port ${port}`,
      expected: "one listening socket on this port",
      measured: `${listeners} in the Lab's table of sockets`,
      read: "notebook 01, What does a listener cost?",
    });
  });
});
