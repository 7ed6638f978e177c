import { strict as assert } from "node:assert";
import { LabHost } from "../../dist/lab/host";
import { native } from "../../dist/native";
import { until } from "../fixtures/waiting";
import { connecting, type Listening, listening } from "./listening";

const established = 1 << 1;
const synRecv = 1 << 3;
const listen = 1 << 10;
const all = 0xfff & ~(1 << 6);
const loopback = 0x7f000001;

describe("diag", () => {
  let host: LabHost;
  let diagFd: number;
  let listener: Listening;
  let open: number[];

  before(async () => {
    host = await LabHost.open({ wire: false });
  });
  after(() => host.close());
  beforeEach(async () => {
    [diagFd] = await host.sockets("diag", 1);
    open = [diagFd];
    listener = await listening(host, { backlog: 5 });
    open.push(listener.fd);
  });
  afterEach(() => native.closeLater(Int32Array.from(open)));

  const connect = async (port: number, count: number) => {
    const fds = await connecting(host, port, count);
    open.push(...fds);
    return fds;
  };

  it("shows a listener's accept queue, its maximum and its inode", async () => {
    await connect(listener.port, 3);
    const rows = native.diag(diagFd, listen, listener.port);
    assert.equal(rows.length, 1);
    assert.deepEqual([rows.state[0], rows.localPort[0], rows.localAddress[0]], [10, listener.port, loopback]);
    assert.deepEqual([rows.receiveQueue[0], rows.sendQueue[0]], [3, 5]);
    assert.equal(rows.inode[0], native.inode(listener.fd));
  });

  it("shows only sockets whose local port is asked for; port 0 shows all", async () => {
    const other = await listening(host);
    open.push(other.fd);
    assert.deepEqual([...native.diag(diagFd, listen, other.port).localPort], [other.port]);
    assert.deepEqual([...native.diag(diagFd, listen, 0).localPort].sort(), [listener.port, other.port].sort());
    assert.equal(native.diag(diagFd, listen, 1).length, 0);
  });

  it("shows both ends of a connection, the one not yet accepted without an inode", async () => {
    const [client] = await connect(listener.port, 1);
    const { port } = native.getsockname(client);
    const far = native.diag(diagFd, established, listener.port);
    assert.deepEqual([far.length, far.remotePort[0], far.remoteAddress[0], far.inode[0]], [1, port, loopback, 0]);
    const near = native.diag(diagFd, established, port);
    assert.deepEqual([near.length, near.remotePort[0], near.inode[0]], [1, listener.port, native.inode(client)]);
  });

  it("shows requests in the SYN queue with their timer", async () => {
    const deferring = await listening(host, { deferAccept: 10 });
    open.push(deferring.fd);
    const clients = await connect(deferring.port, 4);
    const rows = native.diag(diagFd, synRecv, deferring.port);
    assert.equal(rows.length, 4);
    assert.deepEqual([...rows.remotePort].sort(), Array.from(clients, (fd) => native.getsockname(fd).port).sort());
    for (let at = 0; at < 4; at++) {
      assert.deepEqual([rows.state[at], rows.timer[at], rows.inode[at], rows.retransmits[at]], [3, 1, 0, 0]);
      assert.ok(rows.expires[at] > 0 && rows.expires[at] <= 3000, `a first SYN-ACK timer of ${rows.expires[at]} ms`);
    }
    native.send(clients[0], new Uint8Array(1));
    assert.equal(native.diag(diagFd, synRecv, deferring.port).length, 3);
    assert.equal(native.acceptAll(deferring.fd, 9).map((fd) => open.push(fd)).length, 1);
  });

  it("shows unread and unacknowledged bytes", async () => {
    const [client] = await connect(listener.port, 1);
    native.send(client, new Uint8Array(1234));
    await until(() => native.diag(diagFd, established, listener.port).receiveQueue[0] === 1234, "bytes arrive");
  });

  it("puts together a table of several messages without loss or repetition", async () => {
    const count = 3000;
    const many = await listening(host, { backlog: 4096 });
    open.push(many.fd);
    const clients = await connect(many.port, count);
    const rows = native.diag(diagFd, established, many.port);
    assert.equal(rows.length, count);
    assert.deepEqual([...rows.remotePort].sort(), Array.from(clients, (fd) => native.getsockname(fd).port).sort());
  });

  it("finds nothing in no state", () => {
    assert.equal(native.diag(diagFd, 0, 0).length, 0);
  });

  it("throws the error with which a dump ends, and can be asked again", () => {
    const icmp = 1; // a protocol of which no kernel has a sock_diag handler (inet_diag_lock_handler)
    assert.throws(() => native.diag(diagFd, all, 0, 4, icmp), { code: "ENOENT", syscall: "sock_diag" });
    assert.equal(native.diag(diagFd, listen, listener.port).length, 1);
    for (const protocol of [-1, 256, 1.5]) assert.throws(() => native.diag(diagFd, all, 0, 4, protocol), RangeError);
  });

  it("throws a system error for a descriptor that cannot answer, and TypeErrors and RangeErrors", async () => {
    assert.throws(
      () => native.diag(listener.fd, all, 0),
      (error: NodeJS.ErrnoException) => typeof error.code === "string" && typeof error.syscall === "string",
    );
    const [closed] = await host.sockets("diag", 1);
    native.close(closed);
    assert.throws(() => native.diag(closed, all, 0), { code: "EBADF" });
    assert.throws(() => native.diag(diagFd, all, 65536), RangeError);
    assert.throws(() => native.diag(diagFd, 2 ** 32, 0), RangeError);
    assert.throws(() => native.diag(-1, all, 0), RangeError);
    assert.throws(() => native.diag("7" as unknown as number, all, 0), TypeError);
    assert.equal(native.diag(diagFd, listen, listener.port).length, 1);
  });
});
