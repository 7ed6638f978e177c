import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Lab } from "../../dist/index";
import { isAlive, openFiles } from "../fixtures/processes";
import { skip } from "../fixtures/skip";
import { until } from "../fixtures/waiting";
import { DrivenKernel, kernelOfSuite } from "./driven-kernel";

interface Footprint {
  threads: number;
  descriptors: number;
  children: number[];
}

/** The number of a process's threads, of its descriptors that are sockets or files of a Lab, and its children's pids. */
function footprint(pid: number): Footprint {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const children = tasks.flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number),
  );
  const descriptors = openFiles(pid).filter((file) => /^socket:|^\/proc\//.test(file)).length;
  return { threads: tasks.length, descriptors, children };
}

/** The footprint once it has not changed for 100 looks. */
async function footprintAtRest(pid: number): Promise<Footprint> {
  let last = footprint(pid);
  let looks = 0;
  await until(() => {
    const now = footprint(pid);
    looks = JSON.stringify(now) === JSON.stringify(last) ? looks + 1 : 0;
    last = now;
    return looks === 100;
  }, "the Jupyter kernel is at rest");
  return last;
}

describe("the library in a kernel", () => {
  let kernel: DrivenKernel;
  before(async function () {
    try {
      await (await Lab.open({ wire: false })).close();
    } catch (error) {
      skip(this, `no Lab can be opened here: ${(error as Error).message}`);
    }
  });
  kernelOfSuite((started) => void (kernel = started));

  it("is imported by its name in less time than the kernel takes to start", async () => {
    const from = performance.now();
    const { status } = await kernel.run(`import { Lab, plot } from "one-listener";`);
    const seconds = (performance.now() - from) / 1000;
    assert.equal(status, "ok");
    console.log(`      kernel start ${kernel.startSeconds.toFixed(2)} s, import ${seconds.toFixed(2)} s`);
    assert.ok(seconds < kernel.startSeconds, `${seconds} s to import, ${kernel.startSeconds} s to start`);
  });

  it("has the native calls behind a door of their own, with their types", async () => {
    const alone = await kernel.print('import { native } from "one-listener/native"; console.log(native.now() > 0)');
    assert.equal(alone, "true");
    const { status } = await kernel.run("const now: string = native.now();");
    assert.equal(status, "error", "a number is no string");
    assert.equal((await kernel.run('import { native as calls } from "one-listener";')).status, "error");
  });

  const ends: Record<string, { last: string; interrupt: boolean }> = {
    "that fails": { last: "throw new Error('enough')", interrupt: false },
    "that is interrupted while it awaits": { last: "console.log('on'); await new Promise(() => {})", interrupt: true },
    "that is interrupted in an endless loop": {
      last: "console.log('on'); await new Promise((resolve) => setTimeout(resolve, 60)); while (true) {}",
      interrupt: true,
    },
  };
  for (const [name, { last, interrupt }] of Object.entries(ends)) {
    it(`leaves no thread, descriptor or lab host of a cell ${name}`, async () => {
      await kernel.run(`import { Lab } from "one-listener";`);
      // what stays for the whole session (thread pools, …) is there after a first Lab
      await kernel.run("const first = await Lab.open(); await first.close();");
      const before = await footprintAtRest(kernel.pid);
      const id = kernel.send(
        `const lab = await Lab.open();
         const listener = await lab.listen({ backlog: 8 });
         const trace = await lab.record(listener, { live: false });
         const loop = listener.acceptLoop();
         const clients = await lab.connect(listener, { clients: 20 });
         ${last}`,
      );
      if (interrupt) {
        await kernel.said(id, "on");
        await until(() => {
          const during = footprint(kernel.pid);
          return (
            during.threads > before.threads &&
            during.descriptors > before.descriptors &&
            during.children.length > before.children.length
          );
        }, "the cell has a Lab, threads and descriptors");
        kernel.interrupt();
      }
      assert.equal((await kernel.outcome(id)).status, "error");
      const isGone = ({ threads, descriptors, children }: Footprint) =>
        threads <= before.threads && descriptors <= before.descriptors && children.length <= before.children.length;
      await until(() => isGone(footprint(kernel.pid)), "all of the cell is gone", 3000).catch(() => undefined);
      const after = footprint(kernel.pid);
      assert.deepEqual({ ...after, children: after.children.length }, { ...before, children: before.children.length });
    });
  }

  it("shows the options of a call on Shift + Tab, in its name and while its arguments are written", async () => {
    await kernel.run('import { Lab as InspectedLab } from "one-listener";');
    await kernel.run("declare const inspected: InspectedLab;");
    for (const [code, position] of [
      ["inspected.connect", 12],
      ["inspected.connect(", 18],
      ["await inspected.connect(8080, { clients: 3, ", 44],
    ] as const) {
      const { content } = await kernel.request("inspect_request", { code, cursor_pos: position, detail_level: 0 });
      const text = (content.data as Record<string, string>)["text/plain"] ?? "";
      for (const row of [
        /^ {2}clients\?: number: how many clients; default 1$/m,
        /^ {2}rate\?: number: connects per second, /m,
        /^ {2}kind\?: "loopback" \| "mirror": /m,
        /^ {2}rtt\?: number: round-trip time of mirror clients, ms; default 20$/m,
      ])
        assert.match(text, row, code);
    }
  });

  it("closes what the last run of a cell opened before the cell runs again", async () => {
    await kernel.run("const lab = await Lab.open();", { cell: "lab" });
    for (let round = 0; round < 3; round += 1) {
      assert.equal(
        await kernel.print(
          "const listener = await lab.listen({ port: 8080, backlog: 5 }); console.log(listener.acceptMax)",
          { cell: "listen" },
        ),
        "5",
      );
    }
    const taken = await kernel.run("await lab.listen({ port: 8080 })", { cell: "another" });
    assert.match(taken.error?.evalue ?? "", /EADDRINUSE/);
  });

  it("takes its lab hosts along when the kernel is killed", async function () {
    const other = await DrivenKernel.start(this);
    await other.run(`import { Lab } from "one-listener"; const lab = await Lab.open();`);
    const { children } = footprint(other.pid);
    assert.ok(children.length > 1);
    process.kill(other.pid, "SIGKILL");
    await until(() => !children.some(isAlive), "the lab hosts end", 3000);
    await other.close();
  });
});
