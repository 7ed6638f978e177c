import { strict as assert } from "node:assert";
import { closeSync, openSync } from "node:fs";
import { LabHost } from "../../dist/lab/host";
import { native } from "../../dist/native";
import { connecting, type Listening, listening } from "./listening";

const readable = 1;
const writable = 2;

describe("poll", () => {
  let host: LabHost;
  let listener: Listening;
  before(async () => {
    host = await LabHost.open({ wire: false });
  });
  after(() => host.close());
  beforeEach(async () => (listener = await listening(host)));
  afterEach(() => native.close(listener.fd));

  it("with a time limit of 0 says how it is now", async () => {
    assert.equal(await native.poll(listener.fd, readable, 0).promise, false);
    const [client] = await connecting(host, listener.port, 1);
    const look = native.poll(listener.fd, readable, 0);
    look.cancel(); // too late, and harmless
    assert.equal(await look.promise, true);
    assert.equal(await native.poll(client, writable, 0).promise, true);
    native.close(client);
    assert.throws(() => native.poll(client, writable, 0), { code: "EBADF", syscall: "poll" });
  });

  it("waits until the descriptor is ready, until its time is over, or until it is cancelled", async () => {
    assert.equal(await native.poll(listener.fd, readable, 20).promise, false);
    const cancelled = native.poll(listener.fd, readable, Infinity);
    cancelled.cancel();
    cancelled.cancel();
    assert.equal(await cancelled.promise, false);
    const waiting = native.poll(listener.fd, readable, Infinity);
    const [client] = await connecting(host, listener.port, 1);
    assert.equal(await waiting.promise, true);
    waiting.cancel();
    native.close(client);
  });

  it("refuses what epoll cannot watch", () => {
    const file = openSync(__filename, "r");
    try {
      assert.throws(() => native.poll(file, readable, 100), { code: "EPERM", syscall: "epoll_ctl" });
      assert.throws(() => native.poll(file, 4, 100), RangeError);
      assert.throws(() => native.poll(file, readable, -1), RangeError);
    } finally {
      closeSync(file);
    }
  });
});
