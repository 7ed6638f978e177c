import assert from "node:assert/strict";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { readFileSync } from "node:fs";
import { ArgumentError, Lab, type LabError } from "../../dist/index";

describe("sysctls of a Lab", () => {
  let lab: Lab;
  labOfSuite((opened) => (lab = opened), { wire: false });

  it("are set and read, and are the Lab's alone", async () => {
    const machine = () => readFileSync("/proc/sys/net/ipv4/tcp_syncookies", "utf8");
    const before = machine();
    for (const value of [0, 1, 2] as const) {
      await lab.sysctl.set({ "net.ipv4.tcp_syncookies": value });
      assert.equal(await lab.sysctl.get("net.ipv4.tcp_syncookies"), value);
    }
    assert.equal(machine(), before);
    assert.equal(typeof (await lab.sysctl.get("net.ipv4.ip_local_port_range")), "string");
  });

  it("come back after an experiment, also one that fails", async () => {
    await lab.sysctl.set({ "net.core.somaxconn": 300 });
    await lab.sysctl.with({ "net.core.somaxconn": 7 }, async () =>
      assert.equal(await lab.sysctl.get("net.core.somaxconn"), 7),
    );
    await assert.rejects(
      lab.sysctl.with({ "net.core.somaxconn": 8 }, () => Promise.reject(new Error("thrown inside"))),
      /thrown inside/,
    );
    assert.equal(await lab.sysctl.get("net.core.somaxconn"), 300);
  });

  it("are set all or not at all", async () => {
    await lab.sysctl.set({ "net.core.somaxconn": 300 });
    await assert.rejects(
      lab.sysctl.set({ "net.core.somaxconn": 5, "net.ipv4.tcp_syn_retries": 1e9 }),
      (error: LabError) => error.code === "EINVAL" && /tcp_syn_retries/.test(error.message),
    );
    assert.equal(await lab.sysctl.get("net.core.somaxconn"), 300);
  });

  it("that do not exist are named, with the nearest that does", async () => {
    await assert.rejects(lab.sysctl.get("net.ipv4.tcp_syncookie"), {
      code: "ENOENT",
      message: "There is no sysctl net.ipv4.tcp_syncookie in this Lab.",
      hint: "Did you mean net.ipv4.tcp_syncookies? Some sysctls exist only on newer kernels, or only for the whole machine.",
    });
  });

  it("are only those of the network", async () => {
    for (const name of ["fs.file-max", "kernel.panic", "net", "net.ipv4/../../kernel.panic", "", "net..x"])
      await assert.rejects(lab.sysctl.get(name), ArgumentError);
  });
});

describe("counters of a Lab", () => {
  it("tell how many SYNs a full listener dropped", async () => {
    const lab = await Lab.open({ wire: false, sysctls: { "net.ipv4.tcp_syncookies": 1 } });
    const listener = await lab.listen({ backlog: 3 });
    const before = lab.counters();
    const clients = await lab.connect(listener, { clients: 10 });
    const change = lab.counters().since(before);
    assert.equal(change.get("ListenDrops"), clients.counts().synSent);
    assert.equal(change.get("TcpExt.ListenOverflows"), clients.counts().synSent);
    assert.equal(change.get("Tcp.PassiveOpens"), listener.acceptQueue);
    assert.equal(change.moved(/^TcpExt\.ListenDrops$/)["TcpExt.ListenDrops"], clients.counts().synSent);
    await lab.close();
  });

  it("that do not exist, or are ambiguous, are named", async () => {
    const lab = await Lab.open({ wire: false });
    assert.throws(() => lab.counters().get("ListenDrips"), /no counter "ListenDrips"/);
    assert.throws(() => lab.counters().get("inuse"), ArgumentError);
    assert.throws(() => lab.counters().get("inuse", 0), ArgumentError, "ambiguous, whatever is given for absent ones");
    assert.equal(lab.counters().get("ListenDrips", 0), 0);
    assert.equal(lab.counters().since(lab.counters()).get("ListenDrips", 7), 7);
    assert.equal(lab.counters().get("ListenDrops", 7), 0);
    await lab.close();
  });
});
