import assert from "node:assert/strict";
import { isAlive } from "../fixtures/processes";
import { DrivenKernel } from "./driven-kernel";

describe("notebook cells", () => {
  let kernel: DrivenKernel;
  beforeEach(async function () {
    kernel = await DrivenKernel.start(this);
    await kernel.print('import { Lab, owned } from "one-listener";', { cell: "imports" });
  });
  afterEach(() => kernel.close());

  it("that open a Lab close it when they are run again, the very first cell too", async function () {
    const cell =
      'import { Lab as First } from "one-listener";\nconst first = await First.open({ wire: false });\nconsole.log(first.host.pid);';
    const other = await DrivenKernel.start(this);
    try {
      const pid = Number(await other.print(cell, { cell: "one" }));
      assert.ok(isAlive(pid));
      const next = Number(await other.print(cell, { cell: "one" }));
      assert.ok(!isAlive(pid) && isAlive(next));
    } finally {
      await other.close();
    }
  });

  it("close what is in a Lab of another cell, and leave that Lab open", async () => {
    await kernel.print("const lab = await Lab.open({ wire: false });", { cell: "a" });
    await kernel.print("const earlier: { closed: boolean }[] = [];", { cell: "b" });
    const cell =
      "const listener = await lab.listen({ port: 8080 });\nearlier.push(listener);\nconsole.log(lab.closed, earlier.map(({ closed }) => closed).join());";
    assert.equal(await kernel.print(cell, { cell: "c" }), "false false");
    assert.equal(await kernel.print(cell, { cell: "c" }), "false true,false");
  });

  const opens =
    "const recording = await lab.record(listener, { live: false });\nconst loop = listener.acceptLoop();\nconst clients = await lab.connect(listener, { clients: 5 });\nconst inner = await Lab.open({ wire: false });\nopened.push(recording, loop, clients, inner);\nconsole.log('on');\n";
  for (const how of ["error", "interrupt"]) {
    it(`that end with an ${how} leave nothing of their own, and nothing of others harmed`, async () => {
      await kernel.print(
        "const lab = await Lab.open({ wire: false });\nconst listener = await lab.listen();\nconst opened: any[] = [];",
        { cell: "a" },
      );
      const id = kernel.send(
        how === "error" ? `${opens}throw new Error("on purpose");` : `${opens}await new Promise(() => {});`,
        { cell: "b" },
      );
      await kernel.said(id, "on");
      if (how === "interrupt") kernel.interrupt();
      assert.equal((await kernel.outcome(id)).status, "error");
      const after =
        "const [recording, loop, clients, inner] = opened;\nconsole.log(recording.running, loop.stats().running, clients.counts().established, inner.closed, lab.closed, listener.closed);";
      assert.equal(await kernel.print(after, { cell: "c" }), "false false 0 true false false");
    });
  }

  it("may listen on a port whose listener is being closed, awaited or not", async () => {
    await kernel.print("const lab = await Lab.open({ wire: false });", { cell: "a" });
    const cell =
      "let listener = await lab.listen({ port: 8080, backlog: 4096 });\nfor (let round = 0; round < 30; round += 1) {\n  void listener.close();\n  listener = await lab.listen({ port: 8080 });\n}\nconsole.log(listener.port);\nvoid listener.close();";
    for (let run = 0; run < 3; run += 1) assert.equal(await kernel.print(cell, { cell: `b${run}` }), "8080");
  });

  it("that are interrupted while they wait for their last run end with the interrupt", async () => {
    await kernel.print(
      'import { owned as things } from "one-listener";\nconst hook = (process as any)[Symbol.for("one-listener.kernel")];\nconst gate = { shut: false };\nhook.onCell(({ phase }: { phase: string }) => {\n  if (!gate.shut || phase !== "start") return undefined;\n  console.error("at the gate");\n  return new Promise((resolve) => setTimeout(resolve, 20_000).unref());\n});',
      { cell: "a" },
    );
    await kernel.print("gate.shut = true;", { cell: "b" });
    const id = kernel.send("console.log('must not run');", { cell: "c" });
    await kernel.wait((message) => message.id === id && message.type === "execute_input");
    await kernel.wait(({ type, content }) => type === "stream" && (content.text as string).includes("at the gate"));
    kernel.interrupt();
    const { status, reply, stdout } = await kernel.outcome(id);
    assert.deepEqual([status, reply.ename, stdout], ["error", "Interrupted", ""]);
  });
});
