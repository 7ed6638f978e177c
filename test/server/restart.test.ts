import assert from "node:assert/strict";
import { until } from "../fixtures/waiting";
import { Lab } from "../../dist/front-door";
import type { Listener } from "../../dist/listener/listener";

const waiting = 30;
const coming = 20;

/** Notebook 09: a new version takes over while some wait in the accept queue, and others are between SYN and last ACK. */
describe("a restart", function () {
  this.timeout(20_000);

  interface Successor {
    readonly accepted: number;
    close(): Promise<unknown>;
  }

  /** What becomes of those that have come when the change begins, and of those that come after it. */
  const restart = async (change: (lab: Lab, old: Listener) => Promise<Successor>) => {
    const lab = await Lab.open();
    try {
      const old = await lab.listen({ port: 8080, backlog: 200 });
      const queued = await lab.connect(old, { clients: waiting });
      // a round trip that is longer than any change
      const halfWay = lab.connect(old, { clients: coming, kind: "mirror", rtt: 1000, quiet: 3000 });
      await until(() => old.synQueue >= coming, "all SYNs");
      assert.deepEqual([old.acceptQueue, old.synQueue], [waiting, coming]);
      const successor = await change(lab, old);
      const after = await lab.connect(8080, { clients: 5 });
      const late = await halfWay;
      await until(
        () => successor.accepted + queued.counts().reset + late.counts().reset >= waiting + coming + 5,
        "each client is accepted or reset",
      );
      const seen = {
        accepted: successor.accepted,
        queuedReset: queued.counts().reset,
        halfWayReset: late.counts().reset,
        refused: after.counts().refused + late.counts().refused,
      };
      await successor.close();
      return seen;
    } finally {
      await lab.close();
    }
  };

  const closeAndOpen = async (lab: Lab, old: Listener): Promise<Successor> => {
    await old.close();
    return (await lab.listen({ port: 8080, backlog: 200 })).acceptLoop();
  };

  it("by closing and opening again loses both queues", async () => {
    assert.deepEqual(await restart(closeAndOpen), {
      accepted: 5,
      queuedReset: waiting,
      halfWayReset: coming,
      refused: 0,
    });
  });

  it("by draining before closing loses the SYN queue", async () => {
    const drained = await restart(async (lab, old) => {
      const rest = old.acceptAll();
      const next = await closeAndOpen(lab, old);
      return {
        get accepted() {
          return rest.length + next.accepted;
        },
        close: () => next.close(),
      };
    });
    assert.deepEqual(drained, { accepted: waiting + 5, queuedReset: 0, halfWayReset: coming, refused: 0 });
  });

  it("by handing the socket on loses nobody, although the old version closes its own descriptor", async () => {
    const handedOn = await restart(async (lab, old) => {
      const successor = await lab.hold(old, { connections: waiting + coming + 5 });
      await old.close();
      return successor;
    });
    assert.deepEqual(handedOn, { accepted: waiting + coming + 5, queuedReset: 0, halfWayReset: 0, refused: 0 });
  });
});
