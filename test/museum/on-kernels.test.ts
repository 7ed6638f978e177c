import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { runInThisContext } from "node:vm";
import { type KernelContext, type Lab, onKernels, type KernelResult } from "../../dist";
import { until } from "../fixtures/waiting";

/** Its error, which it must have. */
function errorOf(result: KernelResult<unknown> | undefined): { message: string; code: string; hint?: string } {
  assert.ok(result?.error);
  return result.error;
}

const quiet = { progress: false };

describe("onKernels() on this kernel", () => {
  it("runs the function in a Lab, with what it is given, and brings back data and output", async () => {
    const given = { backlog: 2, names: ["a"] };
    const experiment = async (lab: Lab, context: KernelContext<typeof given>) => {
      const listener = await lab.listen({ port: 8080, backlog: context.given.backlog });
      const recording = await lab.record(listener);
      await lab.connect(listener, { clients: 5, kind: "loopback", quiet: 50 });
      const trace = await recording.stop();
      console.log("printed", context.kernel);
      return { version: context.version, waiting: listener.acceptQueue, trace };
    };
    const [result] = await onKernels([], experiment, { given, ...quiet });
    assert.equal(result.error, undefined);
    assert.deepEqual([result.kernel, result.version, result.output], ["here", release(), "printed here\n"]);
    assert.equal(result.value?.waiting, 3);
    assert.equal(result.value.version, release());
    assert.equal(result.value.trace.summary().get("acceptQueue").max, 3);
    assert.ok(result.seconds > 0);
  });

  it("knows the library's names, and no other name of the caller's", async () => {
    const names = await onKernels(
      ["here"],

      async (_lab, { library }) => [typeof (library as any).Lab, (library as any).formatNumber(1000)],
      quiet,
    );
    assert.deepEqual(names[0]?.value, ["function", "1,000"]);
    const outside = 3;
    const [result] = await onKernels(["here"], () => outside, quiet);
    assert.equal(errorOf(result).message, "ReferenceError: outside is not defined (at: () => outside)");
    assert.match(errorOf(result).hint ?? "", /Hand it over: \{ given: … \}/);
  });

  it("knows names of the library that an earlier cell of a notebook has imported", async () => {
    const asTslabHasIt = (text: string) => runInThisContext(text) as () => Promise<unknown>;
    const [result] = await onKernels(["here"], asTslabHasIt("async () => exports.formatNumber(1000)"), quiet);
    assert.equal(result.value, "1,000");
    const [other] = await onKernels(["here"], asTslabHasIt("async () => exports.backlog"), quiet);
    assert.match(errorOf(other).message, /^ReferenceError: backlog is not defined/);
  });

  it("takes a method, and refuses what has no text", async () => {
    const experiments = {
      async measure() {
        return 1;
      },
    };
    // eslint-disable-next-line @typescript-eslint/unbound-method
    assert.equal((await onKernels(["here"], experiments.measure, quiet))[0]?.value, 1);
    await assert.rejects(onKernels(["here"], Math.max as never, quiet), /^ArgumentError: This function has no text/);
    await assert.rejects(onKernels(["here"], "() => 1" as never, quiet), /needs a function that gets a Lab/);
    await assert.rejects(
      onKernels(["here"], () => 1, { speed: 2 } as never),
      /onKernels\(\) has no option "speed"/,
    );
  });

  it("keeps an error on one kernel with that kernel", async () => {
    const results = await onKernels(
      ["here", "1.0", "here"],
      async (lab, { given }) => {
        if ((await lab.sysctl.get("net.ipv4.tcp_syncookies")) !== given) throw new RangeError("not as given");
        return "fine";
      },
      { given: 1, ...quiet },
    );
    assert.deepEqual(
      results.map(({ value }) => value),
      ["fine", undefined, "fine"],
    );
    assert.equal(errorOf(results[1]).message, 'The kernel "1.0" is not installed.');
    const [thrown] = await onKernels(["here"], () => Promise.reject(new RangeError("no")), quiet);
    assert.match(errorOf(thrown).message, /^RangeError: no \(at: /);
    const [refused] = await onKernels(["here"], (lab) => lab.listen({ port: -1 }), quiet);
    assert.equal(errorOf(refused).code, "ERR_ARGUMENT");
  });

  it("says that nothing can be run where none of the kernels is there", async () => {
    await assert.rejects(
      onKernels(["1.0"], () => 1, quiet),
      { code: "ERR_ARGUMENT" },
    );
  });

  it("ends a function that never does: by the time limit, or because nothing is left that could end it", async () => {
    const [endless] = await onKernels(["here"], () => { for (;;); }, { timeout: 1500, ...quiet }); // prettier-ignore
    assert.equal(errorOf(endless).code, "ERR_TIMEOUT");
    assert.match(errorOf(endless).message, /ran the function, which did not end within 1.50 s/);
    const [stuck] = await onKernels(["here"], () => new Promise(() => undefined), quiet);
    assert.match(errorOf(stuck).message, /ended without an answer/);
    assert.equal(errorOf(stuck).hint, "It waits for something that nothing in its process can bring about.");
    const [left] = await onKernels(["here"], () => process.exit(3), quiet);
    assert.match(errorOf(left).message, /exit status 3/);
  });

  it("refuses an answer that is no data", async () => {
    const [result] = await onKernels(["here"], () => () => 1, quiet);
    assert.match(errorOf(result).message, /^What the function returned cannot travel/);
    await assert.rejects(
      onKernels(["here"], () => 1, { given: () => 1, ...quiet }),
      /^ArgumentError: What is given/,
    );
  });

  it("ends early when it is aborted, and leaves no process", async () => {
    const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ").filter(Boolean); // prettier-ignore
    const before = new Set(children());
    const controller = new AbortController();
    const running = onKernels(["here", "here"], () => { for (;;); }, { signal: controller.signal, ...quiet }); // prettier-ignore
    await until(() => children().some((pid) => !before.has(pid)));
    controller.abort();
    await assert.rejects(running, { code: "ERR_INTERRUPTED" });
    await until(() => children().every((pid) => before.has(pid)));
  });
});
