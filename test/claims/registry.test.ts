import assert from "node:assert/strict";
import { type Once, once } from "../../dist/claims/experiment";
import { claimOf, claims, judge, measure } from "../../dist/claims/registry";
import { ArgumentError, LabError, messageWithHint } from "../../dist/errors";

function refuses(action: () => unknown, ...parts: RegExp[]): void {
  assert.throws(action, (error: Error) => {
    assert.ok(error instanceof ArgumentError, String(error));
    for (const part of parts) assert.match(messageWithHint(error), part);
    return true;
  });
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

/** what a reader without types may type */
const untyped = judge as (number: number, evidence: unknown) => unknown;

describe("the registry of claims", () => {
  it("has the claims of the notebooks that are built", () => {
    assert.deepEqual(
      claims.map(({ number }) => number),
      range(1, 63),
    );
    for (const { statement, section, notebook } of claims) {
      assert.match(statement, /^[\w].*\.$/);
      assert.match(section, /^(Overview|Part [1-6])$/);
      assert.match(notebook, /^0[0-9]$/);
    }
    assert.equal(new Set(claims.map(({ statement }) => statement)).size, claims.length);
  });

  it("names the numbers there are when asked for another", () => {
    refuses(() => claimOf(99), /no claim 99/, /1, 2, 3, 4, 5/);
    refuses(() => claimOf(Number("six")), /no claim NaN/);
    refuses(() => untyped(64, {}), /no claim 64/);
  });

  it("says what to give when evidence is wrong", () => {
    refuses(
      () => untyped(6, { backlog: 128, somaxconn: 4096 }),
      /lacks "waiting"/,
      /backlog: the argument of listen\(2\)/,
      /cookies\?: /,
    );
    refuses(() => untyped(6, { backlog: 128, somaxconn: 4096, waitng: 1 }), /no field "waitng"/, /waiting: /);
    refuses(
      () => untyped(6, { backlog: 128, somaxconn: 4096, waiting: -1 }),
      /waiting must be a whole number, 0 or more, not -1/,
    );
    refuses(() => untyped(6, { backlog: 1.5, somaxconn: 4096, waiting: 2 }), /backlog must be an integer/);
    refuses(() => untyped(6, 129), /must be an object, not 129/, /waiting: /);
    refuses(() => untyped(6, null), /must be an object, not null/);
    refuses(() => untyped(3, { read: 5, write: "EPIPE" }), /read must be/);
    refuses(() => untyped(3, { read: "no", write: "EPIPE" }), /read must be .* not "no"/);
    refuses(
      () => untyped(4, { before: { synQueue: 1 }, after: { synQueue: 0, acceptQueue: 1 }, clients: 1 }),
      /before lacks "acceptQueue"/,
    );
    refuses(() => untyped(7, { completed: [1], accepted: [1, 2] }), /completed must be an array/);
    refuses(
      () => untyped(15, { cookies: 1, clients: 20, believe: 20, queued: 6, synQueueWhileFull: 0, others: [{}] }),
      /others\[0\] lacks "cookies"/,
    );
    refuses(() => untyped(16, { emptyFor: NaN, outside: 1 }), /emptyFor must be/);
  });

  it("types the evidence by the claim's number", () => {
    const good = () => judge(43, { somaxconn: 4096 });
    assert.equal(good().verdict, "holds");
    // @ts-expect-error: claim 43 takes somaxconn
    refuses(() => judge(43, { backlog: 1 }), /no field "backlog"/);
    // @ts-expect-error: there is no claim 64
    refuses(() => judge(64, {}), /no claim 64/);
  });

  it("a program that is not on this machine leaves a claim undecided, with the reason", async () => {
    const missing: Once = () =>
      Promise.reject(new LabError("There is no program ss.", { code: "ENOENT", hint: "Install it." }));
    const { verdict, why, kernel, evidence } = await measure(45, missing);
    assert.deepEqual(
      { verdict, why, kernel, evidence },
      { verdict: "undecided", why: "There is no program ss. Install it.", kernel: "path_openat()", evidence: {} },
    );
  });

  it("an error of any other kind is thrown, a limit of this process among them", async () => {
    const broken: Once = () => Promise.reject(new LabError("The link has failed.", { code: "EIO" }));
    await assert.rejects(measure(1, broken), /The link has failed/);
  });

  it("runs an experiment once for all claims that share it", async () => {
    let runs = 0;
    const memory = once();
    const experiment = async () => (runs += 1);
    assert.deepEqual([await memory(experiment), await memory(experiment)], [1, 1]);
    assert.equal(await once()(experiment), 2);
    await assert.rejects(measure(64 as never), ArgumentError);
  });
});
