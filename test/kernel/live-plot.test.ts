import assert from "node:assert/strict";
import { type DrivenKernel, kernelOfSuite } from "./driven-kernel";

const plotlyType = "application/vnd.plotly.v1+json";

describe("notebook cells that use the library", () => {
  let kernel: DrivenKernel;
  // as in the kernelspec: the server serves the plotting library, so that no message carries it
  before(() => void (process.env.ONE_LISTENER_PLOTLY_URL = "files/plotly.js"));
  kernelOfSuite(async (started) => {
    kernel = started;
    delete process.env.ONE_LISTENER_PLOTLY_URL;
    await kernel.print('import { Lab, plot, sleep } from "one-listener";');
  });

  it("may say { rate } of a name that an earlier cell has declared", async () => {
    await kernel.print("const rate = 100;");
    assert.equal(await kernel.print("console.log({ rate })"), "{ rate: 100 }");
  });

  it("keep values whose type no cell imports, and await what is awaited inside", async () => {
    await kernel.print("const lab = await Lab.open({ wire: false });");
    await kernel.print("const listener = await lab.listen({ port: 8080, backlog: 5 });");
    await kernel.print(
      "const said = await (await lab.spawn('true')).output(); const table = lab.sockets(); const counters = lab.counters();",
    );
    assert.equal(await kernel.print("console.log(said.code, table.length)"), "0 1");
  });

  it("see a live plot that moves while they wait, and freezes into the whole recording", async () => {
    // the recording lasts long enough for several pictures: a live plot is a rate
    const { status, displays, messages } = await kernel.run(
      "const recording = await lab.record(listener); await sleep(1500); const trace = await recording.stop();",
    );
    assert.equal(status, "ok");
    // 6 per second are sent; a busy machine may send fewer
    const moves = displays.filter(({ data }) => /oneListener\.update/.test(String(data["text/html"])));
    assert.ok(moves.length >= 4, `${moves.length} pictures`);
    const whole = displays.filter(({ data }) => plotlyType in data);
    assert.equal(whole.length, 2, "once at the start and once at the end");
    assert.ok(
      whole.every(({ data }) => typeof data[plotlyType] === "object" && typeof data["text/plain"] === "string"),
    );
    assert.ok(
      messages.every((message) => JSON.stringify(message).length < 100_000),
      "no message carries the library",
    );
  });

  it("close their Lab at the end", async () => {
    assert.equal(await kernel.print("await lab.close(); console.log(listener.closed)"), "true");
  });
});
