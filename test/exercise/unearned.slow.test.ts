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
/** The solution goes on when the signal is aborted. */
const deaf: [RegExp, string] = [/once\(signal, "abort"\)/, "new Promise<void>(() => undefined)"];

/** What each does, the code, and the tests that it must miss. */
const unearned: [what: string, exercise: string, code: string, missed: string[]][] = [
  [
    "counts the calls",
    "read-the-counters",
    'let n = 0; export function readTheCounters(): string { return ["healthy", "accept queue overflow", "syn queue full", "syn cookies", "bad cookies", "nobody listens", "clients reset"][n++]; }',
    [
      "a healthy listener",
      "an accept queue that overflows",
      "a full SYN queue",
      "SYN cookies",
      "wrong SYN cookies",
      "a closed port",
      "clients that reset",
    ],
  ],
  [
    "says the same number of every listener",
    "find-the-backlog",
    inLab("findTheBacklog", "return 0;"),
    ["a small backlog", "a large backlog", "a backlog of 0", "a backlog above somaxconn"],
  ],
  [
    "names every client",
    "phantom-clients",
    "export function phantomClients(lab: unknown, { clients }: { clients: unknown[] }): number[] { return clients.map((_, at) => at); }",
    ["every phantom is found", "only phantoms are named"],
  ],
  [
    "does nothing",
    "handshake-by-hand",
    inLab("handshakeByHand", ""),
    ["the client is not a kernel socket", "the connection is ESTABLISHED", "the message arrives"],
  ],
  [
    "lets the kernel do it",
    "handshake-by-hand",
    inLab("handshakeByHand", "await (await lab.dial(port)).write(message);"),
    ["the client is not a kernel socket", "the connection is ESTABLISHED", "the message arrives"],
  ],
  [
    "does nothing",
    "freeze-n-handshakes",
    inLab("freezeNHandshakes", ""),
    ["n half-open requests", "they stay half-open", "nothing in the accept queue"],
  ],
  [
    "sends as many bytes as hello has",
    "first-listener",
    changed("first-listener", [/hello\\n/g, "XXXXX\\n"]),
    ["says hello to every client"],
  ],
  [
    "ignores the signal",
    "first-listener",
    changed("first-listener", deaf),
    ["stops listening when the signal is aborted"],
  ],
  ["sends two other bytes", "fast-accept", changed("fast-accept", ['"ok"', '"zz"']), ["every client is answered"]],
  [
    "never closes",
    "fast-accept",
    changed("fast-accept", ["    await connection.close();\n", ""]),
    ["every client is answered"],
  ],
  ["ignores the signal", "fast-accept", changed("fast-accept", deaf), ["ends when the signal is aborted"]],
  [
    "sends four other bytes",
    "slow-handler",
    changed("slow-handler", ['"done"', '"gone"']),
    ["every client is answered in time"],
  ],
  [
    "works for 8 ms",
    "slow-handler",
    changed("slow-handler", ["sleep(handleMs)", "sleep(8)"]),
    ["the work is done for every client"],
  ],
  ["ignores the signal", "slow-handler", changed("slow-handler", deaf), ["ends when the signal is aborted"]],
  [
    "works for 8 ms",
    "connection-limit",
    changed("connection-limit", ["sleep(handleMs)", "sleep(8)"]),
    ["every client is answered, after the work"],
  ],
  [
    "sends four other bytes",
    "connection-limit",
    changed("connection-limit", ['"done"', '"gone"']),
    ["every client is answered, after the work"],
  ],
  [
    "listens, and no more",
    "connection-limit",
    inLab("connectionLimit", listens),
    [
      "never more than the limit",
      "every client is answered, after the work",
      "the limit is used",
      "ends when the signal is aborted",
    ],
  ],
  ["ignores the signal", "connection-limit", changed("connection-limit", deaf), ["ends when the signal is aborted"]],
  [
    "sends other bytes",
    "restart-without-loss",
    changed("restart-without-loss", ['"newer"', '"later"']),
    ["every client is answered"],
  ],
  [
    "listens, and no more",
    "restart-without-loss",
    inLab("restartWithoutLoss", listens),
    [
      "no client is refused or reset",
      "every client is answered",
      "no client is accepted while the new version loads",
      "the new version answers afterwards",
      "ends when the signal is aborted",
    ],
  ],
  [
    "begins with the new version",
    "restart-without-loss",
    changed("restart-without-loss", ['serve("old", ', 'serve("newer", ']),
    ["no client is accepted while the new version loads", "the new version answers afterwards"],
  ],
  [
    "ignores the signal",
    "restart-without-loss",
    changed("restart-without-loss", deaf),
    ["ends when the signal is aborted"],
  ],
  [
    "rejects every client, so that it never runs out of descriptors",
    "survive-emfile",
    changed("survive-emfile", [/^.*connection\.read\(\).*\n/m, ""]),
    ["answers the clients that it has descriptors for", "the server survives", "with little CPU time"],
  ],
  [
    "sends two other bytes",
    "survive-emfile",
    changed("survive-emfile", ['"ok"', '"zz"']),
    ["waiting clients are answered when others leave"],
  ],
  ["ignores the signal", "survive-emfile", changed("survive-emfile", deaf), ["ends when the signal is aborted"]],
  [
    "rings when its watch says so",
    "queue-alarm",
    "export async function queueAlarm(lab: unknown, { alarm, signal }: any): Promise<void> { for (const ms of [480, 690, 690]) { await new Promise((resolve) => setTimeout(resolve, ms)); alarm(); } await new Promise((resolve) => signal.addEventListener('abort', resolve)); }",
    ["no alarm without a reason", "within 100 ms"],
  ],
  [
    "ignores the signal",
    "queue-alarm",
    changed("queue-alarm", ["!signal.aborted", "true"]),
    ["ends when the signal is aborted"],
  ],
];

describe("no points without doing what is asked", function () {
  this.timeout(60_000);

  for (const [what, name, code, missed] of unearned) {
    it(`${name}: a solution that ${what}`, async () => {
      const { tests } = await gradeSource(loadExercise(name), code, { seed: "unearned", ...sandboxed() });
      const missedTitles = tests.filter((test) => !test.passed).map(({ title }) => title);
      // no more than these: what is missed is missed for this reason, and not because nothing worked
      assert.deepEqual(missedTitles, missed);
    });
  }
});
