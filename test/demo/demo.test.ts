import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { demos } from "../../dist/demo/index";
import { Stage, stageHeight } from "../../dist/demo/stage";

const main = path.join(__dirname, "..", "..", "..", "dist", "cli", "main.js");

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => execFile(process.execPath, [main, "demo", ...args], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr })));
}

async function numbers(...args: string[]): Promise<Record<string, number>> {
  const { code, stdout, stderr } = await run(...args, "--json");
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Record<string, number>;
}

describe("one-listener demo", function () {
  this.timeout(120_000);

  it("lists the demos", async () => {
    const { stdout } = await run();
    for (const { name, sentence } of demos) assert.ok(stdout.includes(name) && stdout.includes(sentence));
    assert.equal(JSON.parse((await run("--list", "--json")).stdout).length, demos.length);
  });

  it("overflow: more clients believe than the server knows", async () => {
    const { clients, room, queued, accepted, established, phantoms, outside } = await numbers("overflow");
    assert.equal(queued, room);
    assert.ok(accepted < clients);
    assert.ok(phantoms + outside > 0 && phantoms === established - accepted);
  });

  it("spike: the short queue leaves people outside, the long one does not", async () => {
    const { outsideSmall, overflowsSmall, outsideLarge, overflowsLarge } = await numbers("spike");
    assert.ok(outsideSmall > outsideLarge && overflowsSmall > overflowsLarge);
    assert.equal(overflowsLarge, 0);
  });

  it("descriptors: fewer are accepted than come, and the loop turns", async () => {
    const { accepted, clients, limit, waiting, wakeupsPerSecond } = await numbers("descriptors");
    assert.ok(accepted < limit && accepted < clients && waiting > 0 && wakeupsPerSecond > 100);
  });

  it("flood: with cookies more honest clients get in", async () => {
    const { connectedWithout, connectedWith, cookiesSent, dropped } = await numbers("flood");
    assert.ok(connectedWith > connectedWithout && cookiesSent > 0 && dropped > 0);
  });

  it("million: as many as asked for, if memory allows", async () => {
    const { total, queued, bytesEach } = await numbers("million", "--count", "20000");
    assert.ok(queued >= 0.99 * total && bytesEach > 500);
  });

  it("tells it in lines where there is no terminal", async () => {
    const { stdout } = await run("descriptors");
    assert.match(stdout, /OUT OF DESCRIPTORS[^]*1\.\d s {2}accepted[^]*EMFILE[^]*notebook 06/);
    assert.ok(!stdout.includes("\u001b"));
  });

  it("refuses what there is not", async () => {
    for (const [args, expected] of [[["nonsense"], /There is no demo "nonsense".*overflow/], [["million", "--count", "-1"], /--count must be/]] as [string[], RegExp][]) {
      const { code, stderr } = await run(...args);
      assert.equal(code, 1);
      assert.match(stderr, expected);
    }
  });

  it("a frame fits into 24 lines of 100 characters", () => {
    const stage = new Stage({ mode: "silent", colour: false, write: () => undefined });
    stage.act("a heading");
    for (let at = 0; at < 300; at++) stage.show([{ name: "x", value: at, of: 1, colour: "blue" }]);
    const levels = ["accept queue", "SYN queue", "say: I am connected", "known to the server"].map((name) => ({ name, value: 1_000_000, of: 1_000_000, colour: "blue" as const, limit: true }));
    const lines = stage.frame(levels, "a note");
    assert.ok(lines.length <= stageHeight);
    for (const line of lines) assert.ok([...line].length <= 100, line);
  });
});
