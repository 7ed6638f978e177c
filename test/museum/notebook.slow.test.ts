import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DrivenKernel } from "../kernel/driven-kernel";
import { until } from "../fixtures/waiting";

describe("onKernels() in a notebook", function () {
  this.timeout(120_000);
  let kernel: DrivenKernel;
  before(async function () {
    kernel = await DrivenKernel.start(this);
  });
  after(() => kernel.close());

  it("takes a function with the names that the notebook imports, and shows a line for each kernel", async () => {
    const cell = [
      'import { formatNumber, onKernels, sleep } from "one-listener";',
      'const results = await onKernels(["here"], async (lab, { given }) => {',
      "  await sleep(20);",
      "  const listener = await lab.listen({ port: 8080, backlog: given.backlog });",
      "  return formatNumber(1000 * listener.backlog);",
      "}, { given: { backlog: 5 } });",
      "console.log(results[0].value ?? results[0].error);",
    ].join("\n");
    const outcome = await kernel.run(cell);
    assert.equal(outcome.stdout.trim(), "5,000");
    const shown = outcome.displays.map((display) => String(display.data["text/plain"]));
    assert.match(shown[0] ?? "", /^here, Linux \S+ +waits$/);
  });

  it("names the line of the notebook at which the function failed, and what it lacked", async () => {
    const cell = [
      "const mine = 3;",
      'const [failed] = await onKernels(["here"], async (lab) => {',
      "  await lab.listen({ port: -5 });",
      "});",
      'const [lacking] = await onKernels(["here"], async (lab) => mine);',
      "console.log(failed.error.message);",
      "console.log(lacking.error.hint);",
    ].join("\n");
    const { stdout, stderr, error } = await kernel.run(cell);
    assert.equal(error, undefined, stderr);
    assert.match(stdout, /^port must be an integer .* \(at: await lab\.listen\(\{ port: -5 \}\);\)$/m);
    assert.match(stdout, /Hand it over: \{ given: … \}/);
  });

  it("ends what runs when the cell is interrupted", async () => {
    const id = kernel.send('await onKernels(["here"], async () => { for (;;); });');
    const children = () => readFileSync(`/proc/${kernel.pid}/task/${kernel.pid}/children`, "utf8").trim();
    const before = children();
    await until(() => children() !== before, "the function's process", 20_000);
    kernel.interrupt();
    const outcome = await kernel.outcome(id);
    assert.equal(outcome.status, "error");
    await until(() => children() === before, "its end", 20_000);
  });
});
