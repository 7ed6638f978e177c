import assert from "node:assert/strict";
import { kernelTraits, synRetransmissions } from "../../dist";

describe("what tells kernels apart, on this kernel", () => {
  it("measures each trait, and those of one change together", async () => {
    const { synQueue, zeroBacklog, looks, migrated, somaxconn, wrongEcho, udpLite } = await kernelTraits(7);
    assert.equal(synQueue.backlog, 7);
    assert.ok(synQueue.syns > 8);
    // one patch made both: inet_csk_reqsk_queue_is_full()
    assert.equal(synQueue.held - 7, zeroBacklog.waiting);
    assert.deepEqual(
      looks.map(({ buckets }) => buckets),
      [1024, 262_144],
    );
    for (const { time } of looks) assert.ok(time > 0 && time < 1e6, `${time} µs`);
    if (migrated) assert.equal(migrated.moved, migrated.queued);
    assert.ok(["set", "read", "absent"].includes(somaxconn));
    assert.ok(["completes", "is dropped"].includes(wrongEcho));
    assert.equal(typeof udpLite, "boolean");
  });

  it("a client retransmits its SYN about a second after connect(), and not before", async () => {
    const [first = 0] = (await synRetransmissions(2000)) ?? [];
    assert.ok(first >= 950 && first < 2000, `${first} ms`);
  });

  it("checks its arguments", async () => {
    await assert.rejects(kernelTraits(0), /backlog/);
    await assert.rejects(synRetransmissions(0), /watch/);
  });
});
