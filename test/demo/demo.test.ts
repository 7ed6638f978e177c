import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import fc from "fast-check";
import { inProject } from "../fixtures/project";
import { skip } from "../fixtures/skip";
import { until } from "../fixtures/waiting";
import { demos, demosOf } from "../../dist/demo";
import { planned } from "../../dist/demo/million";
import { drawPanel, largeFigures } from "../../dist/demo/panel";
import { wrap } from "../../dist/terminal/text";

const main = inProject("dist", "cli", "main.js");
const markName = "ONE_LISTENER_DEMO_TEST";

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface Run {
  child: ChildProcess;
  mark: string;
  ended: Promise<Ended>;
}

/** Every process that it starts inherits the mark. */
function start(command: string, args: string[], env: NodeJS.ProcessEnv = {}): Run {
  const mark = randomUUID();
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env, [markName]: mark },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (data) => (stdout += data));
  child.stderr.setEncoding("utf8").on("data", (data) => (stderr += data));
  return { child, mark, ended: once(child, "close").then(([code]) => ({ code, stdout, stderr })) };
}

const demo = (...args: string[]) => start(process.execPath, [main, "demo", ...args]);

function pidsWhere(matches: (pid: string) => boolean): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return matches(name);
    } catch {
      return false; // it has ended, or belongs to another user
    }
  });
}

const marked = (mark: string) =>
  pidsWhere((pid) => readFileSync(`/proc/${pid}/environ`, "utf8").includes(`${markName}=${mark}`));
const networkOf = (pid: string) => readlinkSync(`/proc/${pid}/ns/net`);
const own = networkOf("self");

/** Network namespaces in which a run's processes have been seen, besides this one. */
function namespacesDuring({ child, mark }: Run): Set<string> {
  const seen = new Set<string>();
  const timer = setInterval(() => {
    for (const pid of marked(mark)) {
      try {
        const network = networkOf(pid);
        if (network !== own) seen.add(network);
      } catch {
        // it has ended
      }
    }
  }, 100);
  child.once("close", () => clearInterval(timer));
  return seen;
}

async function nothingIsLeft(mark: string, namespaces: ReadonlySet<string>): Promise<void> {
  const left = () => [...marked(mark), ...pidsWhere((pid) => namespaces.has(networkOf(pid)))];
  await until(
    () => left().length === 0,
    () => `processes of the demo, or in its namespaces: ${left().join()}`,
  );
}

/** Runs it to its end, and looks for what it has left behind. */
async function numbersOf(...args: string[]): Promise<Record<string, any>> {
  const run = demo(...args, "--json");
  const namespaces = namespacesDuring(run);
  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  assert.ok(namespaces.size > 0, "it ran in a Lab");
  await nothingIsLeft(run.mark, namespaces);
  const outcome = JSON.parse(stdout);
  assert.equal(outcome.demo, args[0]);
  assert.match(outcome.kernel, /^Linux /);
  assert.match(outcome.decidedBy, /\w\(\)/);
  assert.match(outcome.notebook, /^\d\d · /);
  assert.ok(outcome.result.length >= 1 && outcome.result.every((sentence: string) => sentence.endsWith(".")));
  assert.doesNotMatch(outcome.result.join(), /NaN|undefined|Infinity/);
  return outcome.numbers;
}

describe("one-listener demo", function () {
  this.timeout(120_000);

  it("overflow: clients beyond the backlog are phantoms or outside", async () => {
    const { clients, acceptQueue, synQueue, established, trying, phantoms } = await numbersOf(
      "overflow",
      "--seconds",
      "1",
    );
    assert.ok(acceptQueue + synQueue < clients);
    assert.ok(phantoms > 0 || trying > 0);
    assert.ok(established >= acceptQueue);
  });

  it("flood: more honest clients get in with SYN cookies than without", async () => {
    const { without, with: on } = await numbersOf("flood", "--seconds", "1");
    assert.equal(without.cookies, 0);
    assert.equal(on.cookies, 1);
    assert.ok(on.connected > without.connected, `${on.connected} with, ${without.connected} without`);
    assert.equal(without.cookiesSent, 0);
    assert.ok(on.cookiesSent > 0);
    assert.ok(on.median > 0);
  });

  it("spike: the long backlog accepts every client, the short one needs retransmissions", async () => {
    const { clients, short, long } = await numbersOf("spike");
    assert.equal(long.accepted, clients);
    assert.equal(long.phantoms, 0);
    assert.ok(short.retransmissions > long.retransmissions);
    assert.ok(short.accepted + short.phantoms + short.waiting + short.trying <= clients);
  });

  it("descriptors: fewer clients are accepted than connect, and trying again at once costs more than a pause", async () => {
    const { clients, limit, retry, pause } = await numbersOf("descriptors", "--seconds", "1");
    for (const each of [retry, pause]) {
      assert.ok(each.accepted < clients && each.accepted < limit);
      assert.ok(each.waiting > 0);
      assert.ok(each.failures > 0);
    }
    assert.equal(retry.refused, 0);
    assert.ok(retry.failuresPerSecond > pause.failuresPerSecond);
    assert.ok(retry.cpu > pause.cpu);
  });

  it("million: as many connections as --count wants, measured and freed", async () => {
    const { wanted, planned: total, because, connections, bytesEach } = await numbersOf("million", "--count", "20000");
    assert.equal(wanted, 20_000);
    assert.equal(total < wanted, because !== "");
    assert.ok(connections >= 0.99 * total && connections <= total, `${connections} of ${total}`);
    assert.ok(bytesEach > 0 && bytesEach < 50_000);
  });

  it("million: plans for the memory that is free, and says why it is fewer", () => {
    assert.deepEqual(planned(1_000_000, 2900, 16 * 2 ** 30), { total: 1_000_000, because: "" });
    const { total, because } = planned(1_000_000, 2900, 2 ** 30);
    assert.ok(total * 2900 < 0.6 * 2 ** 30 && total > 100_000);
    assert.match(because, /^1,000,000 would take more than 60 % of the free memory$/);
    assert.equal(planned(1_000_000, 2900, 0).total, 1);
    // a kernel that does not let a Lab set somaxconn
    const queue = { places: 4096, because: "it is 4096" };
    assert.deepEqual(planned(1_000_000, 2900, 16 * 2 ** 30, queue), { total: 4096, because: "it is 4096" });
    assert.match(planned(1_000_000, 2900, 2 ** 20, queue).because, /4,096 would take more than 60 %/);
    assert.deepEqual(planned(4000, 2900, 16 * 2 ** 30, queue), { total: 4000, because: "" });
  });

  it("is ended by SIGINT and leaves nothing", async () => {
    const run = demo("flood", "--seconds", "60");
    const namespaces = namespacesDuring(run);
    await once(run.child.stdout!, "data");
    await until(() => namespaces.size > 0, "a namespace", 20_000);
    run.child.kill("SIGINT");
    const { code, stderr } = await run.ended;
    assert.equal(code, 130);
    assert.equal(stderr, "Stopped. Everything is closed and its memory freed.\n");
    await nothingIsLeft(run.mark, namespaces);
  });

  it("prints plain lines where there is no terminal", async () => {
    const { code, stdout } = await demo("descriptors", "--seconds", "0.5").ended;
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /\u001b|█/);
    assert.ok(stdout.split("\n").every((line) => [...line].length <= 120));
    assert.match(stdout, /Read on: notebook\s06\.\n$/);
  });

  it("fits a terminal of 24 lines and 100 columns, and gives it back", async function () {
    try {
      execFileSync("script", ["--version"], { stdio: "pipe" });
    } catch {
      return skip(this, "script(1) is not installed");
    }
    const line = `stty rows 24 cols 100; '${process.execPath}' '${main}' demo overflow --seconds 0.5`;
    for (const [NO_COLOR, coloured] of [
      ["", true],
      ["1", false],
    ] as const) {
      const { code, stdout } = await start("script", ["-qec", line, "/dev/null"], { TERM: "xterm-256color", NO_COLOR })
        .ended;
      assert.equal(code, 0, stdout);
      const frames = stdout.split(/\u001b\[(\d+)A\r/);
      const ups = frames.filter((_, at) => at % 2 === 1).map(Number);
      const pictures = frames.filter((_, at) => at % 2 === 0);
      assert.ok(ups.length > 5, "redrawn in place");
      assert.ok(Math.max(...ups) < 24);
      pictures.forEach((picture, at) => {
        const lines = picture
          .replace(/\u001b\[[\d;?]*[a-zA-Z]/g, "")
          .replaceAll("\r", "")
          .split("\n");
        assert.ok(lines.length <= 24);
        assert.ok(lines.every((text) => [...text].length < 100));
        if (at < ups.length) assert.equal(lines.length - 1, ups[at], "goes back to where it began");
      });
      assert.equal(/\u001b\[[\d;]*m/.test(stdout), coloured);
      assert.match(pictures.at(-1)!, /Read on: notebook 04/);
      assert.ok(stdout.lastIndexOf("\u001b[?25h") > stdout.lastIndexOf("\u001b[?25l"), "the cursor is shown again");
    }
  });

  it("lists the demos, and says how to start one", async () => {
    const { code, stdout } = await demo().ended;
    assert.equal(code, 0);
    for (const { name, sentence } of demos) assert.ok(stdout.includes(name) && stdout.includes(sentence));
    assert.match(stdout, /npx one-listener demo overflow/);
    const listed = JSON.parse((await demo("--list", "--json").ended).stdout);
    assert.deepEqual(
      listed.map(({ name }: { name: string }) => name),
      demos.map(({ name }) => name),
    );
    assert.ok(!demosOf("all").some(({ name }) => name === "million"));
    assert.match((await demo("--help").ended).stdout, /"all" runs every demo except million/);
  });

  it("says what is wrong with its input", async () => {
    const bad: [string[], RegExp][] = [
      [
        ["nix"],
        /There is no demo "nix"\.\n→ The demos are: overflow, flood, spike, descriptors, million; and all, which is every demo except million\./,
      ],
      [["flood", "--seconds", "-3"], /--seconds must be a number from 0\.5 to 300, not -3/],
      [["flood", "--seconds", "soon"], /--seconds must be a number/],
      [["million", "--count", "0"], /--count must be an integer from 1 to 1,000,000/],
      [["million", "--count", "2.5"], /--count must be an integer/],
      [["flood", "--count", "5"], /--count is an option of the demo million only\./],
      [["flood", "--pause"], /--pause waits for Enter, and there is no terminal\.\n→ Leave --pause out\./],
      [["flood", "--json", "--pause"], /--pause waits for Enter, and there is no terminal\./],
    ];
    await Promise.all(
      bad.map(async ([args, message]) => {
        const { code, stdout, stderr } = await demo(...args).ended;
        assert.equal(code, 1, args.join(" "));
        assert.equal(stdout, "");
        assert.match(stderr, message);
        assert.doesNotMatch(stderr, /\n\s+at /);
      }),
    );
  });
});

describe("a demo's panel", () => {
  const meter = fc.record({
    label: fc.stringMatching(/^[A-Z ]{1,20}$/),
    note: fc.stringMatching(/^[a-z ,]{0,60}$/),
    value: fc.integer({ min: 0, max: 1_000_000 }),
    of: fc.integer({ min: 0, max: 1_000_000 }),
    colour: fc.constantFrom("acceptQueue" as const, "synQueue" as const, "drops" as const),
  });

  it("fits whatever its numbers, its text and the terminal", () => {
    fc.assert(
      fc.property(
        fc.array(meter, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 41, max: 200 }),
        fc.integer({ min: 3, max: 60 }),
        fc.boolean(),
        fc.stringMatching(/^[a-z ]{0,500}$/),
        fc.array(fc.nat(1_000_000), { maxLength: 200 }),
        (meters, columns, rows, colour, text, past) => {
          const lines = drawPanel(
            { title: "a title", meters },
            {
              columns,
              rows,
              colour,
              below: [text],
              history: new Map(meters.map(({ label }) => [label, past])),
              corner: "Linux 6.18",
            },
          );
          assert.ok(lines.length < Math.min(rows, 24), `${lines.length} lines`);
          for (const line of lines) {
            const visible = line.replace(/\u001b\[[\d;]*m/g, "");
            assert.ok([...visible].length < Math.min(columns, 101), visible);
            if (!colour) assert.equal(visible, line);
          }
        },
      ),
    );
  });

  it("draws figures of three lines, thousands apart", () => {
    assert.deepEqual(largeFigures(129), ["▀█  ▀▀█ █▀█", " █  █▀▀ ▀▀█", "▀▀▀ ▀▀▀ ▀▀▀"]);
    for (const value of [0, 7, 1234567, 890])
      assert.equal(new Set(largeFigures(value).map((line) => line.length)).size, 1);
    assert.ok(largeFigures(1000)[0].length > largeFigures(999)[0].length + 4);
  });

  it("wraps at spaces", () => {
    assert.deepEqual(wrap("one two three", 7), ["one two", "three"]);
    assert.deepEqual(wrap("", 7), []);
    assert.deepEqual(wrap("one\ntwo incomprehensible", 7), ["one", "two", "incompr", "ehensib", "le"]);
  });
});
