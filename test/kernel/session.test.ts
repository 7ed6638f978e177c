import assert from "node:assert/strict";
import { isAlive } from "../fixtures/processes";
import { sleep, until } from "../fixtures/waiting";
import { DrivenKernel, kernelOfSuite } from "./driven-kernel";

describe("a kernel's session", () => {
  let kernel: DrivenKernel;
  kernelOfSuite((started) => void (kernel = started));

  it("declares names again, with another type", async () => {
    await kernel.run("const backlog = 128; let name = 'a'; class Queue { length = 1; }");
    assert.equal(
      await kernel.print("const backlog = 'none'; class Queue { max = 2; } backlog + new Queue().max + name"),
      "none2a",
    );
  });

  it("has top-level await, for await, imports by name and by import()", async () => {
    assert.equal(await kernel.print("for await (const n of [Promise.resolve(1), 2]) console.log(n);"), "1\n2");
    assert.equal(
      await kernel.print(
        "import { isIP } from 'node:net'; const os = await import('node:os'); [isIP('10.0.0.1'), os.platform()].join(' ')",
      ),
      "4 linux",
    );
  });

  it("prints the last expression, and nothing for undefined", async () => {
    assert.equal(await kernel.print("[1, 2].map((n) => n * 2)"), "[ 2, 4 ]");
    assert.equal(await kernel.print("void 0"), "");
  });

  it("runs one cell after the other, and is busy until the last is done", async () => {
    const ids = [1, 2, 3].map((n) =>
      kernel.send(
        `console.log('start ${n}'); await new Promise((resolve) => setTimeout(resolve, 50)); console.log('end ${n}');`,
      ),
    );
    const outcomes = await Promise.all(ids.map((id) => kernel.outcome(id)));
    assert.deepEqual(
      outcomes.map(({ stdout }) => stdout),
      [1, 2, 3].map((n) => `start ${n}\nend ${n}\n`),
    );
    const states = kernel.messages
      .filter(({ id, type }) => ids.includes(id) && type === "status")
      .map(({ content }) => content.execution_state as string);
    assert.deepEqual(states, ["busy", "idle", "busy", "idle", "busy", "idle"]);
    assert.deepEqual(
      outcomes.map(({ messages }) => messages.filter(({ type }) => type === "execute_input").length),
      [1, 1, 1],
    );
  });

  it("answers completions while a cell runs, and does not look idle then", async () => {
    const id = kernel.send("console.log('on'); await new Promise((resolve) => setTimeout(resolve, 500));");
    await kernel.said(id, "on");
    const from = kernel.messages.length;
    const { content } = await kernel.request("complete_request", { code: "process.hrti", cursor_pos: 12 });
    assert.ok((content.matches as string[]).includes("hrtime"));
    await sleep(50); // time in which a wrong "idle" would come
    const states = kernel.messages
      .slice(from)
      .filter(({ type }) => type === "status")
      .map(({ content: status }) => status.execution_state as string);
    assert.equal(states.at(-1), "busy");
    await kernel.outcome(id);
  });

  it("answers what JupyterLab asks, and prints nothing under cells for what it does not know", async () => {
    const id = kernel.send("1");
    await kernel.outcome(id);
    assert.equal((await kernel.request("comm_info_request", {})).type, "comm_info_reply");
    assert.equal((await kernel.request("history_request", { hist_access_type: "tail" })).type, "history_reply");
    const info = (await kernel.request("kernel_info_request", {})).content;
    assert.equal(info.status, "ok");
    assert.match(info.language_info.version as string, /^5\./);
    kernel["tell"]({ op: "request", id: "unknown", type: "debug_request", content: {}, channel: "control" });
    // what the kernel prints of it comes before the outputs of the next cell
    await kernel.request("kernel_info_request", {}, "control");
    assert.equal((await kernel.run("2")).stderr, "");
    assert.equal((await kernel.outcome(id)).stderr, "");
  });

  it("knows the cell that runs by the frontend's id, and otherwise gives each run its own", async () => {
    const which = "(process as any)[Symbol.for('one-listener.kernel')].run.id";
    assert.equal(await kernel.print(which, { cell: "cell-of-jupyterlab" }), "cell-of-jupyterlab");
    const [first, second] = [await kernel.print(which), await kernel.print(which)];
    assert.ok(first !== "" && second !== "" && first !== second);
  });

  it("ends at once when it is told to, whatever still runs in it", async function () {
    const other = await DrivenKernel.start(this);
    await other.run("setInterval(() => {}, 10); require('node:net').createServer().listen(0); undefined");
    const began = performance.now();
    await other.shutdown();
    assert.ok(performance.now() - began < 2000);
    await other.close();
  });

  for (const [name, code] of Object.entries({
    "that waits": "console.log('on'); await new Promise(() => {});",
    "in an endless loop": "console.log('on'); while (true) {}",
  })) {
    it(`ends ${name} when the Jupyter that started it is killed`, async function () {
      const other = await DrivenKernel.start(this);
      const { pid } = other;
      const id = other.send(code);
      await other.said(id, "on").catch(() => undefined);
      other.driver.kill("SIGKILL");
      await until(() => !isAlive(pid), "the kernel ends without its Jupyter", 6000);
    });
  }
});
