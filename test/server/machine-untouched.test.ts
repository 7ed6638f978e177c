import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { native } from "../../dist/native";
import { pythonOf } from "../kernel/driven-kernel";

const root = path.resolve(__dirname, "../../..");
const watched = [
  "net/core/somaxconn", "net/ipv4/tcp_syncookies", "net/ipv4/tcp_max_syn_backlog", "net/ipv4/tcp_synack_retries", "net/ipv4/tcp_syn_retries", "net/ipv4/tcp_abort_on_overflow", "net/ipv4/tcp_fastopen",
  "net/ipv4/tcp_migrate_req", "fs/file-max", "fs/nr_open",
];

const mark = "ONE_LISTENER_MARK";

function safely<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function pids(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
}

/** The machine, as far as this user may see it. */
function machine() {
  const sysctls = Object.fromEntries(watched.map((name) => [name, safely(() => readFileSync(`/proc/sys/${name}`, "utf8").trim())]));
  const namespaces = new Set(pids().flatMap((pid) => safely(() => readlinkSync(`/proc/${pid}/ns/net`)) ?? []));
  // whatever a notebook starts, and what that starts, has the mark in its environment
  const hosts = pids().filter((pid) => /lab-host|accept-worker/.test(safely(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? "") || safely(() => readFileSync(`/proc/${pid}/environ`, "utf8"))?.includes(`${mark}=`));
  return { sysctls, namespaces: namespaces.size, hosts, descriptors: native.descriptors().open, open: Number(readFileSync("/proc/sys/fs/file-nr", "utf8").split(/\s+/)[0]) };
}

describe("after a notebook", function () {
  this.timeout(180_000);

  for (const notebook of readdirSync(path.join(root, "notebooks")).flatMap((file) => /^(\d\d)-.*\.ipynb$/.exec(file)?.[1] ?? [])) {
    it(`${notebook}: no process, namespace, descriptor or sysctl of the machine is different`, async function () {
      pythonOf(this);
      const before = machine();
      execFileSync(process.execPath, [path.join(root, "setup", "notebooks.mjs"), notebook], { cwd: root, stdio: "pipe", env: { ...process.env, [mark]: notebook } });
      await new Promise((resolve) => setTimeout(resolve, 500));
      const after = machine();
      assert.deepEqual(after.sysctls, before.sysctls);
      assert.ok(after.namespaces <= before.namespaces, `${after.namespaces} network namespaces, ${before.namespaces} before`);
      assert.deepEqual(after.hosts.filter((pid) => !before.hosts.includes(pid)), []);
      assert.ok(after.descriptors <= before.descriptors + 2, `${after.descriptors} descriptors of this process, ${before.descriptors} before`);
      assert.ok(after.open < before.open + 2000, "files open on the machine");
    });
  }
});
