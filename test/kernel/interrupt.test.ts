import assert from "node:assert/strict";
import { childrenOf, cpuTime, isAlive } from "../fixtures/processes";
import { sleep, until } from "../fixtures/waiting";
import { DrivenKernel, kernelCommand, kernelOfSuite } from "./driven-kernel";

describe("an interrupt", () => {
  let kernel: DrivenKernel;
  kernelOfSuite((started) => void (kernel = started));

  const shortWait = "await new Promise((resolve) => setTimeout(resolve, 20));";
  const cells: Record<string, string> = {
    "a synchronous endless loop": "console.log('on'); while (true) {}",
    "an endless loop after an await that had nothing to wait for": "console.log('on'); await null; while (true) {}",
    "an endless loop after a real await": `console.log('on'); ${shortWait} while (true) {}`,
    "an endless loop in a timer":
      "console.log('on'); setTimeout(() => { while (true) {} }, 10); await new Promise(() => {});",
    "an await that never ends": "console.log('on'); await new Promise(() => {});",
    "a loop that awaits": `console.log('on'); for (;;) { ${shortWait} }`,
    "a for await loop": `console.log('on'); for await (const x of (async function* () { for (;;) { ${shortWait} yield 1; } })()) {}`,
  };
  for (const [name, code] of Object.entries(cells)) {
    it(`ends ${name}, and the next cell runs`, async () => {
      const id = kernel.send(code);
      await kernel.said(id, "on");
      // a loop that does not await tells nothing, but the machine does; an await has begun when "on" comes
      const before = cpuTime(kernel.pid);
      if (code.includes("while (true)")) await until(() => cpuTime(kernel.pid) > before + 50, "the loop runs");
      kernel.interrupt();
      const { status, reply, error } = await kernel.outcome(id);
      assert.equal(status, "error");
      assert.equal(reply.ename, "Interrupted");
      assert.equal(error?.ename, "Interrupted");
      assert.equal(await kernel.print("6 * 7"), "42");
    });
  }

  it("runs finally blocks, which may await", async () => {
    const id = kernel.send(
      `console.log('on'); try { for (;;) { ${shortWait} } } finally { ${shortWait} console.log('tidied up'); }`,
    );
    await kernel.said(id, "on");
    kernel.interrupt();
    assert.equal((await kernel.outcome(id)).reply.ename, "Interrupted");
    await kernel.said(id, "tidied up");
  });

  it("leaves no rest of the cell at work, nor of functions of earlier cells that it called", async () => {
    await kernel.run(
      `let rounds = 0; async function forever() { for (;;) { ${shortWait} rounds += 1; if (rounds === 2) console.log("twice"); } }`,
    );
    const id = kernel.send("await forever();");
    await kernel.said(id, "twice");
    kernel.interrupt();
    await kernel.outcome(id);
    const then = Number(await kernel.print("rounds"));
    assert.ok(then >= 2);
    await sleep(200); // time in which nothing may happen: ten more rounds, if the function still ran
    assert.equal(Number(await kernel.print("rounds")), then);
  });

  it("does nothing when no cell runs", async () => {
    kernel.interrupt();
    await sleep(100); // time in which the signal arrives, of which an idle kernel shows nothing
    assert.equal(await kernel.print("'still here'"), "still here");
  });

  it("aborts what was sent behind the cell", async () => {
    const running = kernel.send("console.log('on'); await new Promise(() => {});");
    const behind = kernel.send("console.log('behind')");
    await kernel.said(running, "on");
    kernel.interrupt();
    assert.equal((await kernel.outcome(running)).reply.ename, "Interrupted");
    assert.equal((await kernel.outcome(behind)).status, "aborted");
  });

  it("works many times in a row", async () => {
    for (let round = 0; round < 20; round += 1) {
      const id = kernel.send(
        round % 2 ? "console.log('on'); while (true) {}" : "console.log('on'); await new Promise(() => {});",
      );
      await sleep(round * 5); // another moment each time is what is tested
      await kernel.said(id, round % 2 ? "" : "on").catch(() => undefined);
      kernel.interrupt();
      assert.equal((await kernel.outcome(id)).reply.ename, "Interrupted");
    }
    assert.ok(isAlive(kernel.pid));
  });

  it("may come as a message on the control channel", async () => {
    const id = kernel.send("console.log('on'); await new Promise(() => {});");
    await kernel.said(id, "on");
    const reply = await kernel.request("interrupt_request", {}, "control");
    assert.equal(reply.type, "interrupt_reply");
    assert.equal((await kernel.outcome(id)).reply.ename, "Interrupted");
  });

  it("tells the library, once, which cell it was", async () => {
    await kernel.run(
      "const seen: string[] = []; (process as any)[Symbol.for('one-listener.kernel')].onCell(({ phase, run }: { phase: string; run: { id: string } }) => { seen.push(`${run.id} ${phase}`); });",
    );
    const id = kernel.send("console.log('on'); await new Promise(() => {});", { cell: "stopped" });
    await kernel.said(id, "on");
    kernel.interrupt();
    await kernel.outcome(id);
    await kernel.run("throw new Error('x')", { cell: "failed" });
    await kernel.run("1", { cell: "fine" });
    assert.equal(
      await kernel.print("seen.slice(0, -1).slice(1).join()", { cell: "last" }),
      "stopped start,stopped interrupt,failed start,failed error,fine start,fine end",
    );
  });

  it("is heard by a kernel whose shell for that is gone", async function () {
    const other = await DrivenKernel.start(this, kernelCommand());
    try {
      const before = childrenOf(other.pid);
      assert.ok(before.length > 0);
      for (const pid of before) process.kill(pid, "SIGKILL");
      // another shell takes its place
      await until(() => childrenOf(other.pid).some((pid) => !before.includes(pid)), "there is another shell");
      await until(() => !before.some(isAlive), "the first shell is gone");
      const id = other.send("console.log('on'); while (true) {}");
      await other.said(id, "on");
      other.interrupt();
      assert.equal((await other.outcome(id)).reply.ename, "Interrupted");
    } finally {
      await other.close();
    }
  });
});
