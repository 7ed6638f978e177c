import assert from "node:assert/strict";
import type { Lab } from "../../dist/index";
import type { LabError } from "../../dist/errors";
import { native } from "../../dist/native";
import { labOfSuite } from "../fixtures/lab-of-suite";

/** The error that a promise is rejected with. */
const errorOf = (promise: Promise<unknown>): Promise<LabError> =>
  promise.then(
    () => assert.fail("it was not rejected"),
    (error: unknown) => error as LabError,
  );

describe("dial()", () => {
  let lab: Lab;
  labOfSuite((opened) => (lab = opened), { wire: false, sysctls: { "net.ipv4.tcp_syncookies": 0 } });

  it("gives up after its time where the accept queue is full, says why, and leaves no descriptor", async () => {
    const listener = await lab.listen({ port: 8080, backlog: 0 });
    await lab.connect(listener, { clients: 1 });
    const before = native.descriptors().open;
    const error = await errorOf(lab.dial(8080, { timeout: 30 }));
    assert.deepEqual(
      [error.code, error.message, error.hint],
      [
        "ETIMEDOUT",
        "Connecting to port 8080: no answer within 30 ms.",
        "Is the accept queue full? Then the kernel drops the SYN, and the client retransmits it after 1 s.",
      ],
    );
    assert.equal(native.descriptors().open, before);
    await listener.close();
  });

  it("says that nothing listens on a port", async () => {
    const error = await errorOf(lab.dial(4711));
    assert.deepEqual([error.code, error.hint], ["ECONNREFUSED", "No socket listens on that port in this Lab."]);
  });

  it("gives a connection that shows its 4-tuple", async () => {
    const listener = await lab.listen();
    const connection = await lab.dial(listener);
    const { local, remote } = connection;
    assert.equal(remote.port, listener.port);
    assert.equal(connection.tuple, `127.0.0.1:${local.port} ← 127.0.0.1:${listener.port}`);
    await listener.close();
  });
});
