import assert from "node:assert/strict";
import { Lab, type LabError } from "../../dist/index";
import { decodeReply, describeProtocol, encodeRequest, type Refusal } from "../../dist/lab/protocol";
import { native } from "../../dist/native";

const errno = { EPERM: 1, EINVAL: 22, ENOSYS: 38, EMSGSIZE: 90, EALREADY: 114, EACCES: 13 };

describe("the protocol of the lab host", () => {
  let lab: Lab;
  /** links of guests: with all of a guest's rights, and with none */
  let far: number;
  let blind: number;
  before(async () => {
    lab = await Lab.open();
    far = await lab.guest({ look: true, wire: true });
    blind = await lab.guest({ look: false, wire: false });
  });
  after(async () => {
    for (const fd of [far, blind]) native.close(fd);
    await lab.close();
  });

  async function refused(link: number, message: string[]): Promise<Refusal> {
    const { fields, fds } = await native.hostRequest(link, message, 2000);
    for (const fd of fds) native.close(fd);
    const answer = decodeReply("kill", fields);
    assert.ok("refused" in answer, `${JSON.stringify(message).slice(0, 100)} was carried out`);
    return answer.refused;
  }

  it("is the same table on both sides", async () => {
    const { reply } = await lab.host.request("protocol", {}, "the protocol");
    assert.equal(reply.table, describeProtocol());
  });

  it("refuses what is not in the table, and what does not match it, and says why", async () => {
    // SO_SNDBUF: by default the kernel does not send a message of more than 208 KiB at all
    native.setsockopt(far, 1, 7, 212_992);
    const cases: [message: string[], error: number, why: string][] = [
      [[""], errno.ENOSYS, "There is no such request."],
      [["reboot"], errno.ENOSYS, "There is no such request."],
      [["x".repeat(1000)], errno.ENOSYS, "There is no such request."],
      [["tcpSockets "], errno.ENOSYS, "There is no such request."],
      [["tcpSockets"], errno.EINVAL, "tcpSockets: count is missing"],
      [["tcpSockets", ""], errno.EINVAL, "tcpSockets: count is not a number"],
      [["tcpSockets", "1e1"], errno.EINVAL, "tcpSockets: count is not a number"],
      [["tcpSockets", "-1"], errno.EINVAL, "tcpSockets: count is not a number"],
      [["tcpSockets", "+1"], errno.EINVAL, "tcpSockets: count is not a number"],
      [["tcpSockets", "99999999999999999999999999"], errno.EINVAL, "tcpSockets: count is not a number"],
      [["tcpSockets", "251"], errno.EINVAL, "tcpSockets: count is more than 250"],
      [["tcpSockets", "1", ""], errno.EINVAL, "tcpSockets: it has values that the protocol does not know"],
      // a NUL inside a value begins another value
      [["tcpSockets", "1\0"], errno.EINVAL, "tcpSockets: it has values that the protocol does not know"],
      [["\0tcpSockets", "1"], errno.ENOSYS, "There is no such request."],
      [["readFile", `/proc/net/${"x".repeat(4096)}`], errno.EINVAL, "readFile: path is longer than 4096 bytes"],
      [["readFile"], errno.EINVAL, "readFile: path is missing"],
      [["readFile", "/etc/passwd"], errno.EACCES, ""],
      [["readFile", "/proc/net/../../etc/passwd"], errno.EACCES, ""],
      [["protocol", "1"], errno.EINVAL, "protocol: it has values that the protocol does not know"],
      [["tcpSockets", "x".repeat(300_000)], errno.EMSGSIZE, "The request is longer than 256 KiB."],
    ];
    for (const [message, error, why] of cases) {
      const refusal = await refused(far, message);
      assert.deepEqual([refusal.error, refusal.why], [error, why], JSON.stringify(message).slice(0, 100));
    }
    const other = await Lab.join(await lab.guest());
    assert.equal(other.address, lab.address);
    await other.close();
  });

  it("refuses a guest what its rights do not cover, whatever the request carries", async () => {
    for (const message of [
      ["open", "0", "0"],
      ["spawn", "/", "0", "1", "true", "0"],
      ["kill", "1", "9"],
    ])
      assert.equal((await refused(far, message)).error, errno.EPERM, message[0]);
    for (const message of [["guest", "1", "1"], ["editFile", "/proc/sys/net/core/somaxconn"], ["spawn"]])
      assert.equal((await refused(far, message)).error, errno.EPERM, message[0]);
    for (const message of [
      ["diagSockets", "1"],
      ["packetSockets", "1"],
      ["readFile", "/proc/net/netstat"],
    ])
      assert.equal((await refused(blind, message)).error, errno.EPERM, message[0]);
  });

  it("leaves the host as it was: the owner's next requests work, and a Lab opens once", async () => {
    const again = lab.host.request("open", { hashBuckets: 0, wire: false }, "opening again");
    await assert.rejects(again, { code: "EALREADY", message: "opening again: The Lab is open already." });
    const listener = await lab.listen({ backlog: 4 });
    assert.equal((await lab.connect(listener, { clients: 3 })).counts().established, 3);
    assert.deepEqual(await (await lab.spawn("true")).exited, { code: 0, signal: null });
  });

  it("sends nothing that does not fit the table", () => {
    const fails = (name: string, action: () => unknown) =>
      assert.throws(action, (error: LabError) => error.code === "ERR_ARGUMENT" && error.message.startsWith(name));
    fails("count", () => encodeRequest("tcpSockets", { count: 251 }));
    fails("count", () => encodeRequest("tcpSockets", { count: 1.5 }));
    fails("path", () => encodeRequest("readFile", { path: "/proc/net/tcp\0" }));
    fails("path", () => encodeRequest("readFile", { path: "x".repeat(4097) }));
    fails("limits", () =>
      encodeRequest("spawn", {
        directory: "/",
        limits: Array.from({ length: 17 }, () => ({ resource: 7, value: 1 })),
        arguments: [],
        environment: [],
      }),
    );
  });

  it("does not believe a reply that does not match the table", () => {
    for (const [reply, why] of [
      [["OK", "1", "2", "3"], "has more values than the protocol"],
      [["OK", "1"], "lacks pid"],
      [["OK", "1", "two"], 'has "two" for pid'],
      [["MAYBE"], 'begins with "MAYBE"'],
    ] as [string[], string][])
      assert.throws(() => decodeReply("spawn", reply), {
        code: "ERR_PROTOCOL",
        message: `The lab host's reply ${why}.`,
      });
  });
});
