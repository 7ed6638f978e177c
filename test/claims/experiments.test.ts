import assert from "node:assert/strict";
import v8 from "node:v8";
import { runInNewContext } from "node:vm";
import { once } from "../../dist/claims/experiment";
import { ClaimNumber, Decision, EvidenceOf, judge, measure } from "../../dist/claims/registry";
import { owned } from "../../dist/lab/owned";
import { LabError } from "../../dist/errors";
import { native } from "../../dist/native";
import { skip } from "../skip";

/** Descriptors open now, without those of ended threads, which go with their objects. */
async function descriptorsInUse(atMost: number): Promise<number> {
  v8.setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let round = 0; round < 20 && native.descriptors().open > atMost; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return native.descriptors().open;
}

/** One run of everything, like the command line's; each test looks at one claim. */
const memory = once();
let started = 0;

function experiment<N extends ClaimNumber>(number: N, check: (evidence: EvidenceOf<N>, decision: Decision) => void): void {
  it(`claim ${number}`, async function () {
    this.timeout(10_000);
    let decision: Decision;
    try {
      decision = await measure(number, memory);
    } catch (error) {
      if (number === 45 && (error as LabError).code === "ENOENT") skip(this, "ss is not installed");
      throw error;
    }
    const evidence = decision.evidence as EvidenceOf<N>;
    const { verdict, measured, why, kernel } = judge(number, evidence);
    assert.deepEqual({ verdict, measured, why, kernel }, { verdict: decision.verdict, measured: decision.measured, why: decision.why, kernel: decision.kernel });
    check(evidence, decision);
    assert.deepEqual(JSON.parse(JSON.stringify(evidence)), evidence, "evidence is plain data");
  });
}

describe("experiments of claims, on this kernel", () => {
  let descriptors = 0;
  let things = 0;
  before(() => {
    started = native.now();
    descriptors = native.descriptors().open;
    things = owned().length;
  });

  experiment(1, ({ listeners, connections, clients }) => {
    assert.equal(listeners, 1);
    assert.equal(connections, clients);
  });
  experiment(2, ({ connections, distinctDescriptors, descriptorsBeforeAccept }) => {
    assert.ok(connections > 50);
    assert.equal(distinctDescriptors, connections);
    assert.equal(descriptorsBeforeAccept, 0);
  });
  experiment(3, ({ onConnection }) => assert.equal(onConnection, "hello".length));
  experiment(4, ({ before, after, clients }) => {
    assert.equal(before.synQueue + before.acceptQueue, clients);
    assert.equal(after.synQueue + after.acceptQueue, clients);
  });
  experiment(6, ({ backlog, somaxconn, waiting }) => assert.equal(waiting, Math.min(backlog, somaxconn) + 1));
  experiment(7, ({ completed, accepted, left }) => {
    assert.equal(left, completed.length - accepted.length);
    assert.deepEqual(accepted, completed.slice(0, accepted.length));
  });
  experiment(9, ({ connections, distinctTuples, sameTupleAgain }) => {
    assert.ok(connections > 50);
    assert.equal(distinctTuples, connections);
    assert.equal(sameTupleAgain, "EADDRNOTAVAIL");
  });
  experiment(10, ({ roomy, tiny }) => {
    const last = roomy.connections.length - 1;
    assert.ok(roomy.microseconds.every((us) => us > 1 && us < 1000));
    assert.ok(tiny !== undefined && tiny.microseconds[last] > 2 * tiny.microseconds[0], "one bucket is slow, or the measurement sees nothing");
    assert.ok(roomy.microseconds[last] < 0.5 * tiny.microseconds[last]);
  });
  experiment(11, ({ connections, mixed }) => {
    assert.ok(connections > 50);
    assert.equal(mixed, 0);
  });
  experiment(12, ({ backlog, clients, waiting, established, open }) => {
    assert.ok(waiting < clients);
    assert.equal(established ?? waiting, waiting);
    assert.ok(open > 2 * backlog);
  });
  experiment(13, ({ clients, dropped, synQueue, cookiesSent, backlog }) => {
    assert.equal(dropped + synQueue + (cookiesSent ?? 0) + backlog + 1, clients, "every SYN is accounted for");
  });
  experiment(14, ({ backlog, waiting }) => assert.equal(waiting, backlog + 1));
  experiment(15, ({ others = [], ...first }, { verdict }) => {
    const [on, off, kept] = [first, ...others];
    assert.deepEqual([on.cookies, off.cookies, kept.cookies], [1, 0, 0]);
    assert.ok(on.believe > on.queued && on.synQueueWhileFull === 0, "phantoms");
    assert.equal(off.believe, off.queued);
    assert.equal(kept.synQueueWhileFull, kept.clients - kept.queued);
    assert.equal(kept.resent, kept.synQueueWhileFull);
    assert.equal(verdict, "false");
  });
  experiment(16, ({ emptyFor, outside }) => {
    assert.ok(outside > 0);
    assert.ok(emptyFor > 100, "the first resend comes a second after the SYN");
  });
  experiment(17, ({ refused, refusedWithAbort }) => {
    assert.equal(refused, 0);
    assert.ok(refusedWithAbort !== undefined && refusedWithAbort > 0);
  });
  experiment(18, ({ drops, believe, queued }) => assert.equal(drops, believe - queued));
  experiment(19, ({ clients, accepted, believe, trying }) => {
    assert.ok(accepted < clients);
    assert.equal((believe ?? 0) + (trying ?? 0), clients);
  });
  experiment(20, ({ synQueueFull, slowApplication, noDescriptors, otherwise }) => {
    assert.equal(synQueueFull.refused + slowApplication.refused + noDescriptors.refused, 0);
    assert.equal(slowApplication.timedOut, slowApplication.clients - 1, "a backlog of 0 has room for one");
    assert.ok(noDescriptors.closed !== undefined && noDescriptors.closed > 0 && noDescriptors.closed < noDescriptors.clients);
    assert.ok(otherwise !== undefined && otherwise.refused > 0);
  });
  experiment(21, ({ softDescriptors, hardDescriptors, synQueue, backlog, memoryPerConnection, buffersPerConnection }) => {
    const { soft, hard } = native.descriptors();
    assert.deepEqual([softDescriptors, hardDescriptors], [soft, hard]);
    assert.ok(synQueue <= backlog + 1 && synQueue > 0);
    assert.ok((buffersPerConnection ?? 0) <= memoryPerConnection);
    assert.ok(memoryPerConnection < 64 * 1024);
  });
  experiment(23, ({ halfOpen, resetAtTimeout, resetAtData, queued, queuedReset, waited }) => {
    assert.ok(halfOpen > 0);
    assert.equal(resetAtTimeout + (resetAtData ?? 0), halfOpen);
    assert.ok(queued !== undefined && queued > 0);
    assert.equal(queuedReset, 0);
    assert.ok(waited !== undefined && waited > 500);
  });
  experiment(40, ({ backlog, waiting, synQueue, clients }) => {
    assert.ok(waiting + synQueue <= 2 * (backlog + 1));
    assert.ok(waiting + synQueue > backlog + 1, "the SYN queue holds some as well");
    assert.ok(clients > backlog + 1000);
  });
  experiment(43, ({ somaxconn }) => assert.ok(somaxconn > 0));
  experiment(45, ({ recvQ, sendQ, acceptQueue, acceptMax }) => {
    assert.deepEqual([recvQ, sendQ], [acceptQueue, acceptMax]);
    assert.ok(acceptQueue > 0 && acceptMax > acceptQueue);
  });

  it("all of them take less than a minute and leave nothing open", async () => {
    assert.ok(native.now() - started < 60_000);
    assert.equal(owned().length, things);
    const node = 3; // what node itself opens once and keeps
    const more = (await descriptorsInUse(descriptors + node)) - descriptors;
    assert.ok(more <= node, `${more} descriptors more than before`);
  });
});
