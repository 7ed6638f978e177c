import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { inProject } from "../fixtures/project";

const main = inProject("dist", "cli", "main.js");

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, "claims", ...args], (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
    );
  });
}

describe("one-listener claims", function () {
  this.timeout(20_000);

  it("decides the claims asked for and prints them readably, progress apart", async () => {
    const { code, stdout, stderr } = await run("43", "3");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Linux \S+\n\n 43 .*SOMAXCONN/);
    assert.match(stdout, /\n {2}3 +✓ holds .*listening descriptor/);
    assert.match(stdout, /measured: net\.core\.somaxconn = /);
    assert.match(stdout, /\n2 holds\n$/);
    assert.match(stderr, /1 of 2: .*\n2 of 2: /);
    assert.ok(stdout.split("\n").every((line) => [...line].length <= 140));
  });

  it("--json is pure and has the evidence", async () => {
    const { code, stdout } = await run("--json", "43", "2");
    assert.equal(code, 0);
    const { kernel: machine, claims } = JSON.parse(stdout);
    assert.match(machine, /^Linux /);
    assert.deepEqual(
      claims.map(({ number }: { number: number }) => number),
      [43, 2],
    );
    assert.equal(typeof claims[0].evidence.somaxconn, "number");
    for (const { verdict, measured, why, kernel, statement, duration } of claims) {
      assert.match(verdict, /^(holds|false|depends)$/);
      for (const text of [measured, why, kernel, statement]) assert.ok(typeof text === "string" && text.length > 0);
      assert.ok(duration >= 0);
    }
  });

  it("--list decides nothing", async () => {
    const { code, stdout, stderr } = await run("--list");
    assert.equal(code, 0);
    assert.equal(stderr, "");
    assert.equal(stdout.trim().split("\n").length, 63);
    assert.match(stdout, /^ {2}1 {2}Overview {2}notebook 01 {2}One listening socket/);
    assert.equal(JSON.parse((await run("--list", "--json", "6")).stdout)[0].number, 6);
  });

  it("refuses numbers that there are not, and says which there are", async () => {
    for (const bad of ["64", "six", "-1", ""]) {
      const { code, stdout, stderr } = await run("--", bad);
      assert.equal(code, 1, bad);
      assert.equal(stdout, "");
      assert.match(stderr, /There are: 1, 2, 3/);
      assert.doesNotMatch(stderr, /\n\s+at /, "no stack trace for a typing error");
    }
  });

  it("--help says what it does", async () => assert.match((await run("--help")).stdout, /claims/));

  it("reports what could not be measured and goes on", async () => {
    // a hard limit too low for thousands of connections, high enough for the rest
    const { code, stdout } = await new Promise<{ code: number; stdout: string }>((resolve) => {
      execFile(
        "sh",
        ["-c", `ulimit -n 300; exec "$0" "$@"`, process.execPath, main, "claims", "--json", "1", "43"],
        (error, output) => resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout: output }),
      );
    });
    assert.equal(code, 1);
    const [first, second] = JSON.parse(stdout).claims;
    assert.equal(first.error.code, "ERR_LIMIT");
    assert.match(first.error.message, /descriptors/);
    assert.equal(second.number, 43);
    assert.ok(second.verdict);
  });
});
