import assert from "node:assert/strict";
import { type DrivenKernel, plain, kernelOfSuite } from "./driven-kernel";

describe("a cell that fails", () => {
  let kernel: DrivenKernel;
  kernelOfSuite((started) => void (kernel = started));

  it("says so in an error message and in its reply, alike", async () => {
    const { status, reply, error, stderr } = await kernel.run("throw new RangeError('too many clients')");
    assert.equal(status, "error");
    assert.equal(error?.ename, "RangeError");
    assert.equal(error.evalue, "too many clients");
    assert.deepEqual({ ename: reply.ename, evalue: reply.evalue, traceback: reply.traceback }, error);
    assert.equal(stderr, "");
  });

  it("shows the reader's own lines, of this cell and of earlier ones, and none of the kernel's", async () => {
    assert.equal(
      (
        await kernel.run(
          "function limit(count: number) {\n  // a comment\n  const most: number = 2;\n  if (count > most) throw new Error('over the limit');\n  return count;\n}",
        )
      ).status,
      "ok",
    );
    const { error } = await kernel.run("const first = limit(1);\n\nlimit(first + 2)");
    const text = plain(error!.traceback);
    assert.match(
      text,
      /^Error: over the limit\nIn \[\d+\], line 4: if \(count > most\) throw new Error\('over the limit'\);\nIn \[\d+\], line 3: limit\(first \+ 2\)$/,
    );
  });

  it("shows the line of an await that failed, through promises too", async () => {
    await kernel.run(
      "async function later(what: string) {\n  await new Promise((resolve) => setTimeout(resolve, 1));\n  throw new Error(what);\n}",
    );
    const { error } = await kernel.run("// waits\nawait Promise.all([later('at last')]);");
    assert.match(plain(error!.traceback), /In \[\d+\], line 2: await Promise\.all/);
  });

  it("shows a hint on a line of its own, once", async () => {
    const { error } = await kernel.run(
      "throw Object.assign(new Error('The port is taken.'), { hint: 'Choose another.' })",
    );
    assert.equal(error!.evalue, "The port is taken.");
    assert.deepEqual(plain(error!.traceback).split("\n").slice(0, 2), [
      "Error: The port is taken.",
      "→ Choose another.",
    ]);
    assert.match(error!.traceback[0], /\x1b\[/);
  });

  it("shows causes and the errors of an AggregateError, and survives errors that cause themselves", async () => {
    const caused = await kernel.run("throw new Error('outer', { cause: new TypeError('inner') })");
    assert.match(plain(caused.error!.traceback), /caused by TypeError: inner/);
    const many = await kernel.run("throw new AggregateError([new Error('one'), new Error('two')], 'both')");
    assert.match(plain(many.error!.traceback), /one of them: Error: one[^]*one of them: Error: two/);
    const circle = await kernel.run(
      "const round: Error & { cause?: unknown } = new Error('round'); round.cause = round; throw round",
    );
    assert.equal(circle.error!.evalue, "round");
  });

  for (const [thrown, evalue] of [
    ["'just text'", "just text"],
    ["undefined", "undefined"],
    ["null", "null"],
    ["{ code: 7 }", "{ code: 7 }"],
  ]) {
    it(`may throw ${thrown}`, async () => {
      const { status, error } = await kernel.run(`throw ${thrown}`);
      assert.equal(status, "error");
      assert.equal(error!.evalue, evalue);
    });
  }

  it("that does not type-check is not run, and every mistake is shown below its place", async () => {
    const { status, error, stdout } = await kernel.run(
      "console.log('side effect');\nconst port: number = '80';\nnowhere(port);",
    );
    assert.equal(status, "error");
    assert.equal(stdout, "");
    assert.equal(error!.ename, "TS2322");
    assert.match(
      error!.evalue,
      /^In \[\d+\], line 2, column 7: Type 'string' is not assignable to type 'number'\. \(and 1 more\)$/,
    );
    assert.match(
      plain(error!.traceback),
      /\n {2}const port: number = '80';\n {8}~~~~\n[^]*line 3, column 1: Cannot find name 'nowhere'[^]*\n {2}nowhere\(port\);\n {2}~~~~~~~$/,
    );
  });

  it("that is no TypeScript at all fails too", async () => {
    const { status, error } = await kernel.run("const = ;");
    assert.equal(status, "error");
    assert.match(error!.ename, /^TS1\d+$/);
  });

  it("whose last value cannot be printed fails, and the kernel lives", async () => {
    const { status, error } = await kernel.run(
      "({ [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('do not look at me'); } })",
    );
    assert.equal(status, "error");
    assert.equal(error!.evalue, "do not look at me");
    assert.equal(await kernel.print("40 + 2"), "42");
  });

  it("aborts the cells that were sent behind it, and says so in their replies", async () => {
    const ids = [
      kernel.send("await new Promise((resolve) => setTimeout(resolve, 100)); throw new Error('first')"),
      kernel.send("console.log('second')"),
      kernel.send("console.log('third')"),
    ];
    const [first, second, third] = await Promise.all(ids.map((id) => kernel.outcome(id)));
    assert.equal(first.status, "error");
    assert.deepEqual([second.status, third.status], ["aborted", "aborted"]);
    assert.equal(second.stdout + third.stdout, "");
  });

  it("does not abort a cell that is sent as soon as its reply is there", async () => {
    for (let round = 0; round < 5; round += 1) {
      assert.equal((await kernel.run("throw new Error('mend me')")).status, "error");
      assert.equal(await kernel.print("'mended'"), "mended");
    }
  });

  it("aborts nothing where the frontend says stop_on_error: false", async () => {
    const failing = kernel.send("throw new Error('go on')", { stopOnError: false });
    const next = kernel.send("console.log('went on')");
    assert.equal((await kernel.outcome(failing)).status, "error");
    assert.equal((await kernel.outcome(next)).stdout, "went on\n");
  });
});
