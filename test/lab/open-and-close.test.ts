import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { ClosedError, Lab, owned } from "../../dist/index";
import { until } from "../fixtures/waiting";

/** pids of this process's children that are lab hosts */
function hosts(): number[] {
  return readdirSync("/proc/self/task").flatMap((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
    } catch {
      return [];
    }
  });
}

/** network namespaces that some visible process is in */
function namespaces(): Set<string> {
  const seen = new Set<string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      seen.add(readlinkSync(`/proc/${pid}/ns/net`));
    } catch {
      // gone, or not ours to see
    }
  }
  return seen;
}

describe("opening and closing Labs", () => {
  it("opens with a wire, with a network of its own", async () => {
    const lab = await Lab.open();
    try {
      assert.equal(lab.address, "10.0.0.1");
      const { stdout } = await (await lab.spawn("cat", ["/proc/net/dev"])).output();
      assert.match(stdout, /wire0:/);
      assert.deepEqual(
        stdout
          .match(/^\s*\w+:/gm)
          ?.map((name) => name.trim())
          .sort(),
        ["lo:", "wire0:"],
      );
      assert.ok(lab.host.steps.every(({ name, error }) => error === 0 || name === "established-hash"));
    } finally {
      await lab.close();
    }
  });

  it("opens without a wire", async () => {
    const lab = await Lab.open({ wire: false });
    assert.equal(lab.address, "");
    const listener = await lab.listen({ backlog: 1 });
    await assert.rejects(lab.connect(listener, { kind: "mirror" }), /no wire/);
    await lab.close();
  });

  it("keeps many Labs at once apart", async () => {
    const labs = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        Lab.open({ wire: at % 2 === 0, sysctls: { "net.core.somaxconn": 100 + at } }),
      ),
    );
    const listeners = await Promise.all(labs.map((lab) => lab.listen({ port: 8080, backlog: 4096 })));
    assert.deepEqual(
      listeners.map(({ acceptMax }) => acceptMax),
      labs.map((_, at) => 100 + at),
    );
    await Promise.all(labs.map((lab) => lab.close()));
  });

  it("takes everything with it when it closes, and closes once", async () => {
    const before = { hosts: hosts().length, owned: owned().length };
    const lab = await Lab.open();
    const listener = await lab.listen({ port: 8080, backlog: 64 });
    const clients = await lab.connect(listener, { clients: 50 });
    const connections = listener.acceptAll();
    const recording = await lab.record(listener, { live: false });
    const sleeper = await lab.spawn("sleep", ["1000"]);
    await lab.connect(listener, { clients: 5, kind: "mirror", rtt: 5 });
    await Promise.all([lab.close(), lab.close()]);
    await lab.close();
    assert.deepEqual(await sleeper.exited, { code: null, signal: "SIGKILL" });
    assert.ok(connections.every(({ closed }) => closed) && listener.closed && !recording.running);
    assert.equal(clients.counts().established, 0);
    assert.deepEqual({ hosts: hosts().length, owned: owned().length }, before);
  });

  it("says that it is closed, whatever is asked of it", async () => {
    const lab = await Lab.open({ wire: false });
    const listener = await lab.listen({ backlog: 1 });
    await lab.close();
    for (const call of [
      () => lab.listen(),
      () => lab.connect(8080),
      () => lab.dial(8080),
      () => lab.record(listener),
      () => lab.spawn("true"),
      () => lab.sysctl.get("net.core.somaxconn"),
    ]) {
      await assert.rejects(async () => call(), ClosedError);
    }
    for (const call of [
      () => lab.counters(),
      () => lab.sockets(),
      () => listener.acceptQueue,
      () => listener.synQueue,
      () => listener.tryAccept(),
      () => listener.relisten(3),
      () => listener.acceptAll(),
    ]) {
      assert.throws(call, ClosedError);
    }
  });

  it("disposes of itself", async () => {
    const lab = await Lab.open({ wire: false });
    await lab[Symbol.asyncDispose]();
    assert.ok(lab.closed);
  });

  it("leaves no descriptor, process, thread or namespace behind in a thousand openings", async function () {
    this.timeout(180_000);
    const count = (directory: string) => readdirSync(directory).length;
    const round = async (at: number) => {
      const lab = await Lab.open({ wire: at % 4 === 0 });
      if (at % 10 === 0) {
        const listener = await lab.listen({ port: 8080, backlog: 5 });
        await lab.connect(listener, { clients: 3 });
        await lab.spawn("sleep", ["1000"]);
      }
      await lab.close();
    };
    await Promise.all(Array.from({ length: 8 }, (_, at) => round(at * 10)));
    const before = { fds: count("/proc/self/fd"), threads: count("/proc/self/task"), hosts: hosts().length };
    const spaces = namespaces();
    for (let at = 0; at < 1000; at += 8) await Promise.all(Array.from({ length: 8 }, (_, more) => round(at + more)));
    assert.deepEqual({ fds: count("/proc/self/fd"), threads: count("/proc/self/task"), hosts: hosts().length }, before);
    // other programs of this machine come and go: a namespace of ours would stay
    const strange = () => [...namespaces()].filter((space) => !spaces.has(space));
    await until(
      () => strange().length === 0,
      () => `the end of ${strange().join()}`,
    );
  });
});
