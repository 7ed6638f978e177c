import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { skip } from "../skip";
import { DrivenKernel } from "./driven";

describe("the notebook kernel", function () {
  this.timeout(120_000);
  let kernel: DrivenKernel;

  before(async function () {
    const python = process.env.ONE_LISTENER_PYTHON ?? "python3";
    if (spawnSync(python, ["-c", "import jupyter_client"]).status !== 0) skip(this, "no jupyter_client: run the tests by `npm test`");
    kernel = await DrivenKernel.start();
    assert.equal((await kernel.run('import { Lab, native, owned, plot, sleep } from "one-listener";')).reply.status, "ok");
  });
  after(() => kernel?.end());

  it("runs cells, keeps what they declare, and lets it be declared again", async () => {
    await kernel.run("const rate = 100; const label = 'first';");
    assert.equal((await kernel.run("const label = 'second'; console.log({ rate, label });")).stdout, "{ rate: 100, label: 'second' }\n");
  });

  it("names the type of what the library gives, also where the cell imports no type", async () => {
    for (const code of ["const lab = await Lab.open({ wire: false });", "const listener = await lab.listen({ port: 8080, backlog: 5 });", "const said = await (await lab.spawn('true')).output(); const table = lab.sockets(); const counters = lab.counters();"]) {
      const { reply } = await kernel.run(code);
      assert.equal(reply.status, "ok", JSON.stringify(reply));
    }
  });

  it("sends what a cell throws as an error message, with the hint", async () => {
    const { reply, said } = await kernel.run("await lab.listen({ port: 8080 });");
    assert.equal(reply.status, "error");
    assert.equal(reply.ename, "LabError");
    assert.match(reply.evalue!, /8080/);
    const error = said.find(({ type }) => type === "error")!;
    assert.equal(error.content.ename, "LabError");
    assert.match(error.content.traceback!.join("\n"), /reusePort/);
    await new Promise((resolve) => setTimeout(resolve, 300));
  });

  it("sends what the compiler finds as an error message, and the next cell runs", async () => {
    const { reply, said } = await kernel.run("const wrong: number = 'text';");
    assert.equal(reply.status, "error");
    assert.match(said.find(({ type }) => type === "error")!.content.traceback!.join("\n"), /not assignable/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal((await kernel.run("console.log(1 + 1)")).stdout, "2\n");
  });

  for (const [name, code] of Object.entries({ "an endless loop": "while (true) {}", "an endless wait": "await new Promise(() => undefined);", "a loop of waits": "for (;;) await sleep(5);" })) {
    it(`interrupts ${name}, and lives on`, async () => {
      const id = kernel.begin(code);
      await kernel.until((message) => message.id === id && message.type === "execute_input" || (message.id === id && message.type === "status"));
      await new Promise((resolve) => setTimeout(resolve, 500));
      kernel.send({ op: "interrupt" });
      const { reply } = await kernel.finish(id);
      assert.equal(reply.status, "error");
      assert.equal(reply.ename, "Interrupted");
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal((await kernel.run("console.log('alive')")).stdout, "alive\n");
    });
  }

  it("leaves no thread, descriptor or Lab of an interrupted or failed cell", async () => {
    const numbers = "console.log(JSON.stringify([native.descriptors().open, require('fs').readdirSync('/proc/self/task').length, owned().length]))";
    await kernel.run(numbers);
    const before = (await kernel.run(numbers)).stdout;
    const work = "const other = await Lab.open(); const l = await other.listen({ backlog: 5 }); const r = await other.record(l, { live: false }); l.acceptLoop({ rate: 1 }); await other.connect(l, { clients: 50, kind: 'mirror', rtt: 50 });";
    const failed = await kernel.run(`${work} throw new Error("on purpose");`);
    assert.equal(failed.reply.evalue, "on purpose");
    await new Promise((resolve) => setTimeout(resolve, 800));
    assert.equal((await kernel.run(numbers)).stdout, before);
    const id = kernel.begin(`${work} await sleep(100000);`);
    await new Promise((resolve) => setTimeout(resolve, 900));
    kernel.send({ op: "interrupt" });
    assert.equal((await kernel.finish(id)).reply.ename, "Interrupted");
    await new Promise((resolve) => setTimeout(resolve, 800));
    assert.equal((await kernel.run(numbers)).stdout, before);
  });

  it("closes what a cell had opened when the cell is run again", async () => {
    const first = await kernel.run("const twice = await Lab.open({ wire: false });", "cell-of-the-reader");
    assert.equal(first.reply.status, "ok");
    await kernel.run("const kept = twice;");
    await kernel.run("const twice = await Lab.open({ wire: false });", "cell-of-the-reader");
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal((await kernel.run("console.log(kept.closed, twice.closed)")).stdout, "true false\n");
  });

  it("shows the errors of background work under the cell, and lives", async () => {
    const { reply } = await kernel.run("setTimeout(() => { throw new Error('from a timer'); }, 20); void Promise.reject(new Error('from a promise'));");
    assert.equal(reply.status, "ok");
    await kernel.until(({ type, content }) => type === "stream" && /from a promise/.test(content.text ?? ""));
    await kernel.until(({ type, content }) => type === "stream" && /from a timer/.test(content.text ?? ""));
    assert.equal((await kernel.run("console.log('alive')")).stdout, "alive\n");
  });

  it("updates a live plot while its cell waits, and shows figures as objects", async () => {
    await kernel.run("const lab2 = await Lab.open({ wire: false }); const l2 = await lab2.listen({ backlog: 5 });");
    const { said, reply } = await kernel.run("const r2 = await lab2.record(l2); await sleep(1500); await r2.stop();");
    assert.equal(reply.status, "ok");
    const updates = said.filter(({ type }) => type === "update_display_data");
    // 5 Hz or better over 1.5 s, with room for a busy machine
    assert.ok(updates.length >= 5, `${updates.length} updates`);
    const bundles = said.filter(({ type, content }) => type === "display_data" || (type === "update_display_data" && "application/vnd.plotly.v1+json" in (content.data as object)));
    assert.ok(bundles.some(({ content }) => typeof (content.data as Record<string, unknown>)["application/vnd.plotly.v1+json"] === "object"));
    assert.ok(said.every((message) => JSON.stringify(message).length < 200_000), "the library is in no message");
    await kernel.run("await lab2.close(); await lab.close();");
  });

  it("is light: a cell costs little beside the library's import", async () => {
    const time = async (code: string) => {
      const start = performance.now();
      await kernel.run(code);
      return performance.now() - start;
    };
    const cells = [];
    for (let at = 0; at < 9; at++) cells.push(await time(`const n${at} = ${at};`));
    const median = cells.sort((a, b) => a - b)[4];
    // not a stopwatch: a figure for the log, and a bound that only a broken kernel misses
    process.stdout.write(`        a plain cell: ${median.toFixed(0)} ms\n`);
    assert.ok(median < 5000);
  });
});
