import assert from "node:assert/strict";
import v8 from "node:v8";
import { runInNewContext } from "node:vm";
import { once } from "../../dist/claims/experiment";
import { type ClaimNumber, type Decision, type EvidenceOf, judge, measure } from "../../dist/claims/registry";
import { owned } from "../../dist/lab/owned";
import { native } from "../../dist/native";
import { msUntil } from "../../dist/waiting/until";
import { skip } from "../fixtures/skip";

/** Descriptors open now, without those of ended threads, which go with their objects. */
async function descriptorsInUse(atMost: number): Promise<number> {
  v8.setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  await msUntil(() => {
    collect();
    return native.descriptors().open <= atMost;
  }, 2000);
  return native.descriptors().open;
}

/** One run of everything, like the command line's; each test looks at one claim. */
const memory = once();
let started = 0;

function experiment<N extends ClaimNumber>(
  number: N,
  check: (evidence: EvidenceOf<N>, decision: Decision) => void,
): void {
  it(`claim ${number}`, async function () {
    this.timeout(30_000);
    const decision = await measure(number, memory);
    if (decision.verdict === "undecided") skip(this, `undecided: ${decision.measured}. ${decision.why}`);
    const evidence = decision.evidence as EvidenceOf<N>;
    const { verdict, measured, why, kernel } = judge(number, evidence);
    assert.deepEqual(
      { verdict, measured, why, kernel },
      { verdict: decision.verdict, measured: decision.measured, why: decision.why, kernel: decision.kernel },
    );
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
    assert.ok(
      tiny !== undefined && tiny.microseconds[last] > 2 * tiny.microseconds[0],
      "one bucket is slow, or the measurement sees nothing",
    );
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
    assert.ok(others.length >= 2, "three bursts");
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
    assert.ok(
      noDescriptors.closed !== undefined && noDescriptors.closed > 0 && noDescriptors.closed < noDescriptors.clients,
    );
    assert.ok(otherwise !== undefined && otherwise.refused > 0);
  });
  experiment(
    21,
    ({ softDescriptors, hardDescriptors, synQueue, backlog, memoryPerConnection, buffersPerConnection }) => {
      const { soft, hard } = native.descriptors();
      assert.deepEqual([softDescriptors, hardDescriptors], [soft, hard]);
      assert.ok(synQueue <= backlog + 1 && synQueue > 0);
      assert.ok((buffersPerConnection ?? 0) <= memoryPerConnection);
      assert.ok(memoryPerConnection < 64 * 1024);
    },
  );
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

  experiment(5, ({ rows }) => {
    for (const { backlog, somaxconn, cookies, maxSynBacklog, synQueue } of rows) {
      const most = Math.min(backlog, somaxconn, cookies === 0 ? 0.75 * maxSynBacklog : Infinity);
      assert.ok(synQueue === most || synQueue === most + 1, `${synQueue} of ${most}`);
    }
  });
  experiment(24, ({ noticesBeforeAck, noticesAfterAck }) =>
    assert.deepEqual([noticesBeforeAck, noticesAfterAck], [0, 1]),
  );
  experiment(25, ({ entries, entriesWithCookies }) => assert.deepEqual([entries, entriesWithCookies], [1, 0]));
  experiment(26, ({ clientSequence, acknowledged, handshakes, distinctNumbers }) => {
    assert.equal(acknowledged, clientSequence + 1);
    assert.ok(handshakes > 10 && distinctNumbers === handshakes);
  });
  experiment(27, ({ shown, client, windows }) => {
    assert.equal(shown, client);
    assert.deepEqual(
      windows.map(({ inSyn, inAck, written }) => [inSyn < written, inAck < written]),
      [
        [false, true],
        [true, false],
      ],
    );
  });
  experiment(28, ({ descriptorsAtAck, descriptorsAtAccept }) =>
    assert.deepEqual([descriptorsAtAck, descriptorsAtAccept], [0, 1]),
  );
  experiment(29, ({ connections, bytesEach }) => {
    assert.ok(connections >= 10_000);
    assert.ok(bytesEach > 500 && bytesEach < 16_384, `${bytesEach} bytes`);
  });
  experiment(30, ({ stateAfterAck, whenFull }) => {
    assert.equal(stateAfterAck, "ESTABLISHED");
    assert.deepEqual(whenFull, { state: "SYN_RECV", overflows: 1 });
  });
  experiment(31, ({ blocked, woke }) => assert.ok(blocked > 50 && woke < 1000));
  experiment(32, ({ loopback, overWire, rtt }) => assert.ok(loopback < rtt && overWire >= rtt));
  experiment(33, ({ sent, waiting, read }) => assert.deepEqual([waiting, read], [sent.length, sent]));
  experiment(34, ({ cases }) =>
    assert.deepEqual(
      cases.map(({ state }) => state),
      ["ESTABLISHED", "CLOSE_WAIT", "CLOSE", "SYN_RECV"],
    ),
  );
  experiment(35, ({ handshakes, completed }) => assert.equal(completed, handshakes));
  experiment(37, ({ withCookies, remembered }) => {
    assert.equal(withCookies.cookiesSent, withCookies.syns);
    assert.equal(remembered!.entries, remembered!.syns);
    assert.ok(remembered!.bytes > 100 * remembered!.syns);
  });
  experiment(38, ({ syns, reached, cookies }) => assert.deepEqual([reached, cookies], [syns, 1]));
  experiment(39, ({ syns, reached, entries }) => assert.deepEqual([syns, reached, entries], [1000, 0, 0]));
  experiment(48, ({ rows }) =>
    assert.ok(rows.some(({ cookies }) => cookies === 0) && rows.some(({ cookies }) => cookies === 1)),
  );
  experiment(54, ({ without, calm }) => {
    assert.ok(without.connected < without.clients / 2, "a full queue is shut");
    assert.equal(calm!.connected, calm!.clients);
  });
  experiment(55, ({ rows }) => {
    assert.equal(new Set(rows.map(({ kept }) => kept)).size, 4, "four values of MSS");
    assert.ok(rows.every(({ offered, kept }) => kept <= offered));
    assert.ok(rows.every(({ timestamps, sack, windowScale }) => sack === timestamps && windowScale === timestamps));
  });
  experiment(56, ({ withCookies }) => assert.equal(withCookies.entries, 0));
  experiment(57, ({ with: on, without }) =>
    assert.ok(on.connected > without!.connected, "the direction of the effect"),
  );
  experiment(58, ({ value, rows }) => {
    assert.equal(value, 1);
    assert.deepEqual(
      rows.map(({ cookiesSent }) => cookiesSent > 0),
      [false, true, true],
    );
  });

  experiment(8, ({ buffersEach, buffersUnread, unread }) => {
    assert.ok(buffersEach < 4096);
    assert.ok(buffersUnread! >= unread!, "data takes buffers");
  });
  experiment(22, ({ without, withCookies }) => {
    for (const { clients, acceptQueue, outside, accepted, phantoms, trying, timedOut } of [without, withCookies]) {
      assert.equal(acceptQueue + outside, clients);
      assert.ok(accepted + phantoms + trying + timedOut <= clients + 1 && accepted >= acceptQueue);
    }
    assert.deepEqual([without.cookies, withCookies.cookies], [0, 1]);
  });
  experiment(36, ({ handshakes, switches }) => assert.ok(handshakes > 3000 && switches < handshakes / 20));
  experiment(41, ({ slow, fast }) => assert.ok(fast.peak < slow.peak, "the fast loop's queue is the shorter one"));
  experiment(42, ({ clients, timedOut, error }) => assert.deepEqual([timedOut, error], [clients, "ETIMEDOUT"]));
  experiment(44, ({ backlog, open }) => assert.ok(open > 20 * backlog));
  experiment(46, ({ bytesEach }) => assert.ok(bytesEach > 500 && bytesEach < 32_768));
  experiment(47, ({ raised, hardHere, softHere }) => assert.ok(raised === 256 && softHere <= hardHere));
  experiment(49, ({ small }) => assert.ok(small.outside > small.clients / 2 && small.synQueue < small.clients / 2));
  experiment(50, ({ small }) => assert.ok(small.accepted < small.clients));
  experiment(51, ({ large, small }) => assert.ok(large.accepted > small.accepted, "more backlog, more of the spike"));
  experiment(52, ({ patience, without, withCookies }) => {
    assert.equal(without.clients, 1000);
    assert.ok(without.timedOut > 0 && without.error === "ETIMEDOUT" && (without.gaveUp ?? 0) > 0.75 * patience);
    assert.deepEqual([without.reset, withCookies.reset], [0, 0]);
  });
  experiment(53, ({ slow, fast }) => assert.ok(fast.median < slow.median));
  experiment(59, ({ oneThread, twoThreads, twoListeners }) =>
    assert.ok(Math.min(oneThread, twoThreads, twoListeners) > 1000),
  );
  experiment(60, ({ semaphore, without }) => assert.ok(semaphore.peak > without.peak && semaphore.most <= 10));
  experiment(61, ({ connections, netstat, diag, lsof }) =>
    assert.deepEqual([diag, netstat, lsof >= connections], [connections, 2 * connections, true]),
  );
  experiment(62, ({ open }) => assert.ok(open > 4000));
  experiment(63, ({ cpu, accepted, limit }) => assert.ok(cpu > 0.3 && accepted < limit));

  it("all of them take less than four minutes and leave nothing open", async () => {
    assert.ok(native.now() - started < 240_000);
    assert.equal(owned().length, things);
    const node = 3; // what node itself opens once and keeps
    const more = (await descriptorsInUse(descriptors + node)) - descriptors;
    assert.ok(more <= node, `${more} descriptors more than before`);
  });
});
