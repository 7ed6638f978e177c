import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { KernelError, Lab, LabError, machineLine, refusalLine, Sysctls } from "../../dist/index";
import type { LabHost } from "../../dist/lab/host";
import { skip } from "../fixtures/skip";
import { nearestSysctl, sysctlNames } from "../../dist/lab/sysctl-names";

/** The Lab's host, as on a kernel without these sysctls: it finds no such files. Sockets and all else are this kernel's. */
function without(host: LabHost, ...missing: string[]): LabHost {
  const paths = missing.map((name) => `/proc/sys/${name.replaceAll(".", "/")}`);
  return new Proxy(host, {
    get(target, name) {
      if (name === "file")
        return (path: string, mode: "r" | "rw") =>
          paths.includes(path)
            ? Promise.reject(new LabError(`${path}: no such file.`, { code: "ENOENT", syscall: "open", errno: -2 }))
            : target.file(path, mode);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const absent = [
  { name: "net.ipv4.tcp_syn_linear_timeouts", like: 0, other: 4, since: "6.5" },
  { name: "net.ipv4.tcp_migrate_req", like: 0, other: 1, since: "5.14" },
  { name: "net.ipv4.tcp_rto_max_ms", like: 120_000, other: 5000, since: "6.15" },
];

describe("sysctls that an older kernel does not have", () => {
  let lab: Lab;
  let old: Sysctls;
  before(async () => {
    lab = await Lab.open({ wire: false });
    old = new Sysctls(without(lab.host, "net.core.somaxconn", ...absent.map(({ name }) => name)));
  });
  after(() => lab.close());

  it("somaxconn is measured", async () => {
    for (const somaxconn of [4096, 77, 65_536]) {
      await lab.sysctl.set({ "net.core.somaxconn": somaxconn });
      assert.equal(await old.get("net.core.somaxconn"), somaxconn);
      assert.equal(await old.access("net.core.somaxconn"), "absent");
    }
    await lab.sysctl.set({ "net.core.somaxconn": 4096 });
    assert.match(await machineLine({ sysctl: old }), /somaxconn 4096,/);
  });

  it("somaxconn can be set to what it is, and to nothing else", async () => {
    await lab.sysctl.set({ "net.core.somaxconn": 4096 });
    await old.set({ "net.core.somaxconn": 4096 });
    await assert.rejects(old.set({ "net.ipv4.tcp_syncookies": 0, "net.core.somaxconn": 65_535 }), (error) => {
      assert.ok(error instanceof KernelError);
      assert.match(error.message, /^Linux \S+ does not let this Lab set net\.core\.somaxconn: it is 4096\.$/);
      assert.match(error.hint ?? "", /Run as root, or use values up to 4096\./);
      return true;
    });
    assert.equal(await old.get("net.ipv4.tcp_syncookies"), 1, "all or nothing");
    assert.equal(await old.with({ "net.core.somaxconn": 4096 }, () => 5), 5);
  });

  for (const { name, like, other, since } of absent) {
    it(`${name} behaves as ${like}`, async () => {
      assert.equal(await old.get(name), like);
      await old.set({ [name]: like });
      const refusals = await old.trySet({ [name]: other, "net.ipv4.tcp_syn_retries": 3 });
      assert.deepEqual(
        refusals.map((refusal) => [refusal.name, refusal.wanted, refusal.is]),
        [[name, other, like]],
      );
      assert.match(refusalLine(refusals), new RegExp(`${name}: it is ${like}`));
      assert.equal(await old.get("net.ipv4.tcp_syn_retries"), 3, "what can be set is set");
      await assert.rejects(old.set({ [name]: other }), (error) => (error as LabError).hint?.includes(since) ?? false);
    });
  }

  it("others are missing as before", async () => {
    await assert.rejects(old.get("net.ipv4.tcp_no_such_thing"), { code: "ENOENT" });
    await assert.rejects(old.trySet({ "net.ipv4.tcp_syncookies": 1e12 }), { code: "EINVAL" });
  });

  it("nobody is asked whether he meant what he wrote", () => {
    for (const name of sysctlNames) assert.notEqual(nearestSysctl(name), name);
  });
});

describe("a Lab with a connection hash of its own", () => {
  it("has the machine's limits of requests and of TIME_WAIT, not those of a small hash", async function () {
    if (!existsSync("/proc/sys/net/ipv4/tcp_child_ehash_entries"))
      skip(this, "this kernel has one connection hash (before Linux 6.1)");
    const lab = await Lab.open({ wire: false });
    const plain = await Lab.open({ wire: false, hashBuckets: 0 });
    try {
      assert.equal(lab.host.ownHash, true);
      for (const name of ["net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_max_tw_buckets"])
        assert.equal(await lab.sysctl.get(name), await plain.sysctl.get(name), name);
    } finally {
      await lab.close();
      await plain.close();
    }
  });
});
