import assert from "node:assert/strict";
import { loadExercise, sourceOf } from "../../dist/exercise/exercise";
import { gradeSource } from "../../dist/exercise/grade-source";
import { requireSandbox, sandbox } from "../../dist/grade/sandbox";

function sandboxed() {
  try {
    requireSandbox();
    return { wrap: sandbox };
  } catch {
    return {};
  }
}

/** The solution of an exercise, with something in it changed. */
function changed(name: string, ...changes: [from: string | RegExp, to: string][]): string {
  let text = sourceOf(loadExercise(name), "solution.ts");
  for (const [from, to] of changes) {
    const after = text.replace(from, to);
    assert.notEqual(after, text, `${name}: ${String(from)} is not in the solution`);
    text = after;
  }
  return text;
}

const inLab = (name: string, body: string) =>
  `export async function ${name}(lab: any, { port, n, message, signal }: any): Promise<any> { ${body} }`;
const listens =
  "await lab.listen({ port, backlog: 1024 }); await new Promise((resolve) => signal.addEventListener('abort', resolve));";
const deaf: [RegExp, string] = [/^.*addEventListener\("abort".*\n/m, ""];

/** What each does, the code, and the tests that it must miss. */
const unearned: [what: string, exercise: string, code: string, missed: string[]][] = [
  [
    "counts the calls",
    "read-the-counters",
    'let n = 0; export function readTheCounters(): string { return ["healthy", "accept queue overflow", "syn queue full", "syn cookies", "bad cookies", "nobody listens", "clients reset"][n++]; }',
    ["a healthy listener", "SYN cookies", "clients that reset"],
  ],
  [
    "says the same number of every listener",
    "find-the-backlog",
    inLab("findTheBacklog", "return 0;"),
    ["a small one", "a large one", "a backlog of 0", "one that somaxconn has cut down"],
  ],
  [
    "names everybody",
    "phantom-clients",
    "export function phantomClients(lab: unknown, { clients }: { clients: unknown[] }): number[] { return clients.map((_, at) => at); }",
    ["every phantom is found", "nobody is accused wrongly"],
  ],
  [
    "does nothing",
    "handshake-by-hand",
    inLab("handshakeByHand", ""),
    ["no socket of the kernel's is the client", "the connection is ESTABLISHED", "the message arrives"],
  ],
  [
    "lets the kernel do it",
    "handshake-by-hand",
    inLab("handshakeByHand", "await (await lab.dial(port)).write(message);"),
    ["no socket of the kernel's is the client", "the connection is ESTABLISHED", "the message arrives"],
  ],
  [
    "does nothing",
    "freeze-n-handshakes",
    inLab("freezeNHandshakes", ""),
    ["n handshakes hang", "and go on hanging", "nothing in the accept queue"],
  ],
  [
    "sends as many bytes as hello has",
    "first-listener",
    changed("first-listener", [/hello\\n/g, "XXXXX\\n"]),
    ["says hello to everybody"],
  ],
  [
    "returns at once, and leaves a thread",
    "first-listener",
    changed(
      "first-listener",
      ["await connection.close();\n    } catch", "await connection.close();\n      void deaf;\n    } catch"],
      [deaf[0], "  const deaf = true;\n"],
    ),
    ["stops listening when it is told to"],
  ],
  ["sends two other bytes", "fast-accept", changed("fast-accept", ['"ok"', '"zz"']), ["everybody is answered"]],
  [
    "never closes",
    "fast-accept",
    changed("fast-accept", [".then(() => connection.close())", ""]),
    ["everybody is answered"],
  ],
  ["is deaf to the signal", "fast-accept", changed("fast-accept", deaf), ["ends when it is told to"]],
  [
    "sends four other bytes",
    "slow-handler",
    changed("slow-handler", ['"done"', '"gone"']),
    ["everybody is answered in time"],
  ],
  [
    "works for 8 ms",
    "slow-handler",
    changed("slow-handler", ["sleep(handleMs)", "sleep(8)"]),
    ["the work is done for each"],
  ],
  ["is deaf to the signal", "slow-handler", changed("slow-handler", deaf), ["ends when it is told to"]],
  [
    "works for 8 ms",
    "connection-limit",
    changed("connection-limit", ["sleep(handleMs)", "sleep(8)"]),
    ["everybody is answered, after the work"],
  ],
  [
    "sends four other bytes",
    "connection-limit",
    changed("connection-limit", ['"done"', '"gone"']),
    ["everybody is answered, after the work"],
  ],
  [
    "listens, and no more",
    "connection-limit",
    inLab("connectionLimit", listens),
    [
      "never more than the limit",
      "everybody is answered, after the work",
      "the limit is used",
      "ends when it is told to",
    ],
  ],
  ["is deaf to the signal", "connection-limit", changed("connection-limit", deaf), ["ends when it is told to"]],
  [
    "sends other bytes",
    "restart-without-loss",
    changed("restart-without-loss", ['"newer"', '"later"']),
    ["everybody is answered"],
  ],
  [
    "listens, and no more",
    "restart-without-loss",
    inLab("restartWithoutLoss", listens),
    [
      "nobody is refused or reset",
      "everybody is answered",
      "nobody is accepted while the new version loads",
      "the new version answers afterwards",
      "ends when it is told to",
    ],
  ],
  [
    "begins with the new version",
    "restart-without-loss",
    changed("restart-without-loss", ['serve("old", ', 'serve("newer", ']),
    ["nobody is accepted while the new version loads", "the new version answers afterwards"],
  ],
  ["is deaf to the signal", "restart-without-loss", changed("restart-without-loss", deaf), ["ends when it is told to"]],
  [
    "sends everybody away, so that it never runs out",
    "survive-emfile",
    changed("survive-emfile", [/^.*connection\.read\(\).*\n/m, ""]),
    ["serves whom it has descriptors for", "the server survives", "without burning the processor"],
  ],
  [
    "sends two other bytes",
    "survive-emfile",
    changed("survive-emfile", ['"ok"', '"zz"']),
    ["those who wait are served when others leave"],
  ],
  ["is deaf to the signal", "survive-emfile", changed("survive-emfile", deaf), ["ends when it is told to"]],
  [
    "rings when its watch says so",
    "queue-alarm",
    "export async function queueAlarm(lab: unknown, { alarm, signal }: any): Promise<void> { for (const ms of [480, 690, 690]) { await new Promise((resolve) => setTimeout(resolve, ms)); alarm(); } await new Promise((resolve) => signal.addEventListener('abort', resolve)); }",
    ["within 100 ms"],
  ],
  [
    "is deaf to the signal",
    "queue-alarm",
    changed("queue-alarm", ["!signal.aborted", "true"]),
    ["ends when it is told to"],
  ],
];

describe("no points without doing what is asked", function () {
  this.timeout(60_000);

  for (const [what, name, code, missed] of unearned) {
    it(`${name}: who ${what}`, async () => {
      const { tests } = await gradeSource(loadExercise(name), code, { seed: "unearned", ...sandboxed() });
      const passed = tests.filter((test) => test.passed).map(({ title }) => title);
      for (const title of missed)
        assert.ok(
          tests.some((test) => test.title === title),
          `there is no test "${title}"`,
        );
      assert.deepEqual(
        missed.filter((title) => passed.includes(title)),
        [],
        "passed all the same",
      );
      // what is missed is missed for this reason, not because nothing worked
      if (code.includes("lab.listen") && missed.length === 1)
        assert.ok(passed.length >= tests.length - 2, JSON.stringify(tests.filter((test) => !test.passed)));
    });
  }
});
