import { strict as assert } from "node:assert";
import { LabHost } from "../../dist/lab/host";
import { type Ghosts, type GhostsOptions, native, type WirePort, type WirePortOptions } from "../../dist/native";
import { atRest } from "../../dist/waiting/until";
import { until } from "../fixtures/waiting";
import { listening } from "./listening";

const never = undefined as never;

describe("WirePort and Ghosts", () => {
  let host: LabHost;
  let packetFd: number;
  before(async () => {
    host = await LabHost.open();
  });
  after(() => host.close());
  beforeEach(async () => {
    [packetFd] = await host.sockets("packet", 1);
  });
  // a constructor that throws has not taken the descriptor
  const give = () => native.close(packetFd);

  const portOptions = (): WirePortOptions => ({
    packetFd,
    ifindex: host.farIndex,
    fromHardware: host.hardware.far,
    toHardware: host.hardware.near,
    network: "10.0.0.0",
    prefix: 8,
    except: [],
  });
  const ghostsOptions = (): GhostsOptions => ({
    packetFd,
    ifindex: host.farIndex,
    fromHardware: host.hardware.far,
    toHardware: host.hardware.near,
    address: host.address,
    port: 8080,
    network: "10.128.0.0",
    prefix: 9,
    first: 0,
    count: 10,
    kind: "syn",
    rate: 0,
    offer: { mss: 1460, windowScale: -1, sack: false, timestamps: false },
    seed: 1,
  });

  it("refuse wrong options, each by its name, and leave the descriptor alone", () => {
    const wrongPorts: [Partial<Record<keyof WirePortOptions, unknown>>, RegExp][] = [
      [{ packetFd: -1 }, /packetFd/],
      [{ packetFd: "3" }, /packetFd/],
      [{ ifindex: 0 }, /ifindex/],
      [{ fromHardware: "nonsense" }, /fromHardware/],
      [{ toHardware: "02:00:00:00:00:00:00" }, /toHardware/],
      [{ network: "ten" }, /network/],
      [{ prefix: 33 }, /prefix/],
      [{ except: "10.0.0.0" }, /except/],
      [{ except: Array(51).fill({ network: "10.0.0.0", prefix: 8 }) }, /except/],
      [{ except: [{ network: "10.0.0.0" }] }, /prefix/],
    ];
    for (const [change, message] of wrongPorts)
      assert.throws(() => new native.WirePort({ ...portOptions(), ...change } as never), message);
    const wrongGhosts: [Partial<Record<keyof GhostsOptions, unknown>>, RegExp][] = [
      [{ count: 0 }, /count/],
      [{ count: 1e9 }, /count/],
      [{ count: NaN }, /count/],
      [{ kind: "udp" }, /kind/],
      [{ rate: -1 }, /rate/],
      [{ prefix: 0 }, /prefix/],
      [{ first: -1 }, /first/],
      [{ first: 2 ** 53 }, /first/],
      [{ port: 0 }, /port/],
      [{ address: "" }, /address/],
      [{ seed: 2 ** 32 }, /seed/],
      [{ offer: { mss: 70_000, windowScale: -1 } }, /mss/],
      [{ offer: { mss: 1, windowScale: 15 } }, /windowScale/],
      [{ offer: null }, /offer|options/],
    ];
    for (const [change, message] of wrongGhosts)
      assert.throws(() => new native.Ghosts({ ...ghostsOptions(), ...change } as never), message);
    assert.throws(() => new native.WirePort(never), TypeError);
    assert.throws(() => new native.Ghosts(never), TypeError);
    give();
  });

  it("name the system call when the descriptor is no packet socket", async () => {
    const [tcp] = await host.sockets("tcp", 1);
    assert.throws(() => new native.WirePort({ ...portOptions(), packetFd: tcp }), { syscall: /ioctl|setsockopt/ });
    assert.throws(() => new native.Ghosts({ ...ghostsOptions(), packetFd: tcp }), { syscall: /ioctl|setsockopt/ });
    native.close(tcp);
    give();
  });

  it("a port sends and takes until it is closed, and then says EBADF", async () => {
    const port = new native.WirePort(portOptions());
    assert.ok(port.fd > 0);
    assert.deepEqual(port.take().packets, []);
    port.send(Uint8Array.of(0x45)); // one byte is no packet: the kernel throws it away
    assert.throws(() => port.send(new Uint8Array(2000)), { code: "EMSGSIZE", syscall: "send" });
    assert.throws(() => port.send(new Uint8Array(1 << 20)), { code: "EMSGSIZE" });
    assert.throws(() => port.send("SYN" as never), TypeError);
    assert.equal(port.drops(), 0);
    port.close();
    port.close();
    assert.equal(port.fd, -1);
    assert.throws(() => port.send(Uint8Array.of(1)), { code: "EBADF" });
    assert.throws(() => port.take(), { code: "EBADF" });
    assert.equal(port.drops(), 0);
    const fdOf = (receiver: object): unknown => Reflect.get(native.WirePort.prototype, "fd", receiver);
    assert.throws(() => fdOf({}), Error);
    const [other] = await host.sockets("packet", 1);
    const stranger = new native.Ghosts({ ...ghostsOptions(), packetFd: other });
    assert.throws(() => fdOf(stranger), TypeError);
    await stranger.stop();
  });

  it("ghosts start once, stop at any time, and keep their counts", async () => {
    const listener = await listening(host, { address: "0.0.0.0", backlog: 100 });
    const ghosts: Ghosts = new native.Ghosts({ ...ghostsOptions(), port: listener.port, count: 1000, rate: 2000 });
    assert.equal(ghosts.stats().sent, 0);
    ghosts.start();
    assert.throws(() => ghosts.start(), /started already/);
    await until(() => ghosts.stats().sent > 50, "fifty SYNs");
    await ghosts.stop();
    await ghosts.stop();
    const { sent, answered } = ghosts.stats();
    assert.ok(sent > 10 && sent < 900, `${sent} sent`);
    // the answer to the last one may still have been on its way when they were stopped
    assert.ok(
      answered <= sent && answered >= sent - 8,
      `${answered} of ${sent} SYNs were answered, by a cookie at the latest`,
    );
    assert.equal(
      ghosts.counts().reduce((sum, each) => sum + each, 0),
      1000,
    );
    assert.equal(ghosts.states().filter((state) => state === 1).length, sent);
    assert.throws(() => ghosts.start(), /started already|stopped/);
    ghosts.reset();
    native.close(listener.fd);
  });

  it("stopped before the start, they never send", async () => {
    const ghosts = new native.Ghosts(ghostsOptions());
    await ghosts.stop();
    assert.throws(() => ghosts.start(), /stopped/);
    assert.equal(ghosts.stats().sent, 0);
  });

  it("end when their Lab ends under them", async () => {
    const other = await LabHost.open();
    const [fd] = await other.sockets("packet", 1);
    const ghosts = new native.Ghosts({
      ...ghostsOptions(),
      packetFd: fd,
      ifindex: other.farIndex,
      fromHardware: other.hardware.far,
      toHardware: other.hardware.near,
      count: 10_000_000,
      rate: 1000,
    });
    ghosts.start();
    await other.close();
    await until(() => ghosts.stats().error !== 0, "the link is gone");
    await ghosts.stop();
    give();
  });

  it("leave no descriptor behind, made and closed a hundred times", async () => {
    give();
    await atRest(() => [native.descriptors().open], { quiet: 200 });
    const before = native.descriptors().open;
    for (let round = 0; round < 50; round++) {
      const [one, two] = await host.sockets("packet", 2);
      const port: WirePort = new native.WirePort({ ...portOptions(), packetFd: one });
      const ghosts = new native.Ghosts({ ...ghostsOptions(), packetFd: two, count: 100 });
      ghosts.start();
      port.take();
      await ghosts.stop();
      port.close();
    }
    await until(
      () => native.descriptors().open <= before,
      () => `${native.descriptors().open} descriptors, ${before} before`,
    );
  });
});
