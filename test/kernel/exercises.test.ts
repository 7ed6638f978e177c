import assert from "node:assert/strict";
import { projectText } from "../fixtures/project";
import { folderOfSuite } from "../fixtures/temporary-folder";
import { Lab } from "../../dist/index";
import { skip } from "../fixtures/skip";
import { DrivenKernel, type Outcome } from "./driven-kernel";

const source = (file: string) => projectText("exercises", "queue-arithmetic", file).replace(/^export /gm, "");

/** The last state of each display, as html. */
function shown({ messages, displays }: Outcome): string {
  const html = (content: Record<string, any>) => [content.data?.["text/html"] ?? ""].flat().join("");
  return [
    ...displays.map(html),
    ...messages.filter(({ type }) => type === "update_display_data").map(({ content }) => html(content)),
  ].join("\n");
}

describe("exercises in a notebook", function () {
  this.timeout(90_000);
  let kernel: DrivenKernel;
  const folder = folderOfSuite("progress");
  before(async function () {
    try {
      await (await Lab.open({ wire: false })).close();
    } catch (error) {
      skip(this, `no Lab can be opened here: ${(error as Error).message}`);
    }
    process.env.ONE_LISTENER_PROGRESS = folder.place;
    kernel = await DrivenKernel.start(this);
    await kernel.run('import { check, hint, Lab, showProgress, sleep } from "one-listener";');
  });
  after(async () => {
    delete process.env.ONE_LISTENER_PROGRESS;
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- undefined if before() skipped or failed
    await kernel?.close();
  });

  it("check() shows points, what was missed and a picture; attempts are counted", async () => {
    await kernel.run(source("wrong-minus-one.ts"));
    const first = await kernel.run('await check("queue-arithmetic", queueArithmetic);');
    assert.equal(first.status, "ok", first.stderr);
    assert.match(shown(first), /5 of 6 points.*first attempt.*Expected:.*hint\(/s);
    assert.match(JSON.stringify(first.displays.map(({ data }) => Object.keys(data))), /plotly/, "a picture");
    assert.match(shown(await kernel.run('await check("queue-arithmetic", queueArithmetic);')), /attempt 2/);
  });

  it("the newest cell that declares the function counts", async () => {
    await kernel.run(source("solution.ts"));
    assert.match(shown(await kernel.run('await check("queue-arithmetic", queueArithmetic);')), /6 of 6 points/);
  });

  it("the function given counts, whatever its name is, and not one of an earlier cell or of a cell that failed", async () => {
    await kernel.run("function mine() { return { maximum: -7, waiting: -7 }; }");
    assert.match(shown(await kernel.run('await check("queue-arithmetic", mine);')), /0 of 6 points/);
    await kernel.run("function queueArithmetic(): string { return 5; }");
    assert.match(shown(await kernel.run('await check("queue-arithmetic", queueArithmetic);')), /6 of 6 points/);
    assert.match(
      shown(
        await kernel.run(
          'function queueArithmetic() { return {}; }\nawait check("queue-arithmetic", queueArithmetic);',
        ),
      ),
      /0 of 6 points/,
    );
    await kernel.run(source("solution.ts"));
  });

  it("hint() gives one more each time; showProgress() has the best", async () => {
    assert.match(shown(await kernel.run('hint("fast-accept");')), /Hint 1 of 3/);
    assert.match(shown(await kernel.run('hint("fast-accept");')), /Hint 2 of 3/);
    assert.match(shown(await kernel.run("showProgress();")), /<b>6 of \d+ points<\/b>.*Queue arithmetic/s);
  });

  it("a solution that loops or exits ends its own process, not the kernel", async () => {
    await kernel.run("function queueArithmetic() { process.exit(7); }");
    assert.match(shown(await kernel.run('await check("queue-arithmetic", queueArithmetic);')), /ended with status 7/);
    await kernel.run("const secret = 41;\nconst helper = () => secret + 1;");
    await kernel.run("function queueArithmetic() { return { maximum: helper(), waiting: 0 }; }");
    assert.match(shown(await kernel.run('await check("queue-arithmetic", queueArithmetic);')), /helper is not defined/);
    const { stdout } = await kernel.run("console.log(helper());");
    assert.equal(stdout, "42\n");
  });

  it("refuses an exercise that does not exist, and what is not a function", async () => {
    assert.equal(
      (await kernel.run('await check("fast-acept", sleep as any);')).error?.evalue,
      'There is no exercise "fast-acept".',
    );
    assert.equal(
      (await kernel.run('await check("fast-accept", undefined as any);')).error?.evalue,
      'check("fast-accept", …) takes your function fastAccept.',
    );
  });
});
