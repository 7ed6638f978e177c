import assert from "node:assert/strict";
import { isAlive } from "../fixtures/processes";
import { sleep } from "../fixtures/waiting";
import { type DrivenKernel, plain, kernelOfSuite } from "./driven-kernel";

describe("what goes on behind a cell", () => {
  let kernel: DrivenKernel;
  kernelOfSuite((started) => void (kernel = started));

  for (const [name, code] of Object.entries({
    "a rejection that nobody awaits":
      "setTimeout(() => { void Promise.reject(Object.assign(new Error('lost.'), { hint: 'Look here.' })); }, 30); undefined",
    "a throw in a timer":
      "setTimeout(() => { throw Object.assign(new Error('lost.'), { hint: 'Look here.' }); }, 30); undefined",
  })) {
    it(`shows ${name} under the last cell, with its hint, and lives`, async () => {
      const id = kernel.send(code);
      assert.equal((await kernel.outcome(id)).status, "ok");
      const message = await kernel.wait(
        ({ id: of, type, content }) => of === id && type === "stream" && content.name === "stderr",
      );
      const text = plain([message.content.text as string]);
      assert.match(text, /^Error in the background: Error: lost\.\n→ Look here\.\nIn \[\d+\]/);
      assert.ok(isAlive(kernel.pid));
      assert.equal(await kernel.print("1 + 1"), "2");
    });
  }

  it("shows nothing of the rest of an interrupted cell", async () => {
    const id = kernel.send(
      "console.log('on'); void (async () => { await new Promise(() => {}); })(); await new Promise(() => {});",
    );
    await kernel.said(id, "on");
    kernel.interrupt();
    await kernel.outcome(id);
    await sleep(200); // time in which a late message would come
    assert.equal((await kernel.outcome(id)).stderr, "");
  });

  it("sends updates of a display at once while the cell awaits, and from timers after it has ended", async () => {
    const id = kernel.send(
      `import { newDisplay } from "tslab";
       const view = newDisplay();
       for (let i = 0; i < 3; i++) { view.html(String(i)); await new Promise((resolve) => setTimeout(resolve, 100)); }
       setTimeout(() => view.html("after"), 100);
       undefined`,
    );
    const { messages } = await kernel.outcome(id);
    const shown = messages.filter(({ type }) => type.endsWith("display_data"));
    assert.deepEqual(
      shown.map(({ type }) => type),
      ["display_data", "update_display_data", "update_display_data"],
    );
    const idle = messages.find(({ content }) => content.execution_state === "idle")!.at;
    assert.ok(idle - shown[0].at > 0.25, "the first display came with the cell's end");
    const after = await kernel.wait(
      ({ type, content }) => type === "update_display_data" && content.data["text/html"] === "after",
    );
    assert.ok(after.at > idle);
    assert.equal(after.content.transient.display_id, shown[0].content.transient.display_id);
  });

  it("takes bundles of several forms through the library's hook, objects as objects", async () => {
    const { displays } = await kernel.run(
      `const hook = (process as any)[Symbol.for("one-listener.kernel")];
       hook.display({ data: { "text/plain": "a figure", "application/vnd.plotly.v1+json": { data: [1] } }, transient: { display_id: "figure" } }, false);
       hook.display({ data: { "text/plain": "another" }, transient: { display_id: "figure" } }, true);`,
    );
    assert.deepEqual(displays, [
      {
        data: { "text/plain": "a figure", "application/vnd.plotly.v1+json": { data: [1] } },
        metadata: {},
        transient: { display_id: "figure" },
      },
      { data: { "text/plain": "another" }, metadata: {}, transient: { display_id: "figure" } },
    ]);
  });

  it("keeps what is printed and what is shown in order", async () => {
    const { messages } = await kernel.run(
      `import { display } from "tslab"; for (let i = 0; i < 5; i++) { console.log("line", i); display.html(String(i)); }`,
    );
    const order = messages
      .filter(({ type }) => type === "stream" || type === "display_data")
      .map(({ type, content }) =>
        type === "stream" ? (content.text as string).trim() : `html ${content.data["text/html"]}`,
      );
    assert.deepEqual(
      order,
      [0, 1, 2, 3, 4].flatMap((i) => [`line ${i}`, `html ${i}`]),
    );
  });

  it("loses no line of a loop that prints, and does not send a message a line", async () => {
    const lines = 100_000;
    const { stdout, messages } = await kernel.run(`for (let i = 0; i < ${lines}; i++) console.log(i);`);
    assert.equal(stdout, Array.from({ length: lines }, (_, i) => `${i}\n`).join(""));
    assert.ok(messages.length < 200, `${messages.length} messages`);
  });

  it("calls the callback of a write to stdout, and keeps a character whole that is written in pieces", async () => {
    const { stdout } = await kernel.run(
      `const euro = Buffer.from("€");
       process.stdout.write(euro.subarray(0, 1));
       await new Promise<void>((resolve) => process.stdout.write(euro.subarray(1), () => resolve()));`,
    );
    assert.equal(stdout, "€");
  });
});
