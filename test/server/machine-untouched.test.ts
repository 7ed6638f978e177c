import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pythonOf } from "../kernel/driven-kernel";

const root = path.resolve(__dirname, "../../..");
const mark = "ONE_LISTENER_MARK";

/** What the kernel changes by itself: counts, and what is new with each reading. */
const livingSysctls = new RegExp(
  "^(fs/(file-nr|inode-nr|inode-state|dentry-state|aio-nr|quota/.*|binfmt_misc/.*|negative-dentry.*)" +
    "|net/(netfilter/nf_conntrack_count|ipv4/route/flush|ipv6/route/flush))$",
);

function safely<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

const names = (folder: string) => safely(() => readdirSync(folder)) ?? [];
const text = (file: string) => safely(() => readFileSync(file, "utf8")) ?? "";
const link = (file: string) => safely(() => readlinkSync(file)) ?? "";

/** Every sysctl below net and fs that this user may read, by its path. */
function sysctls(): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (folder: string) => {
    for (const entry of safely(() => readdirSync(path.join("/proc/sys", folder), { withFileTypes: true })) ?? []) {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(name);
      else if (!livingSysctls.test(name)) found[name] = text(`/proc/sys/${name}`);
    }
  };
  walk("net");
  walk("fs");
  return found;
}

interface Process {
  command: string;
  /** started by the notebook, or by what it started, or a program of this project */
  ours: boolean;
  descriptors: number;
  /** "net:[4026531840]", …: those that it is in, and those that it holds by a descriptor */
  namespaces: string[];
}

/** By pid and the time of its start, since pids come again. */
function processes(): Map<string, Process> {
  const found = new Map<string, Process>();
  for (const pid of names("/proc").filter((name) => /^\d+$/.test(name))) {
    const folder = `/proc/${pid}`;
    const stat = text(`${folder}/stat`);
    if (stat === "" || pid === String(process.pid)) continue;
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    const command = text(`${folder}/cmdline`).replaceAll("\0", " ").trim();
    const links = names(`${folder}/fd`).map((fd) => link(`${folder}/fd/${fd}`));
    found.set(`${pid}@${started}`, {
      command,
      ours:
        text(`${folder}/environ`).includes(`${mark}=`) ||
        [link(`${folder}/exe`), link(`${folder}/cwd`)].some((place) => place === root || place.startsWith(`${root}/`)),
      descriptors: links.length,
      namespaces: [
        ...names(`${folder}/ns`).map((kind) => link(`${folder}/ns/${kind}`)),
        ...links.filter((target) => /^(net|user|mnt|pid|ipc|uts|cgroup|time):\[\d+\]$/.test(target)),
      ],
    });
  }
  return found;
}

/** The machine, as far as this user may see it. */
function machine() {
  const running = processes();
  const all = [...running.values()];
  return {
    running,
    /** namespaces that stay although nobody is in them */
    mounted: text("/proc/self/mountinfo")
      .split("\n")
      .flatMap((mount) => (/ - nsfs .*/.test(mount) ? [mount.split(" ")[3]] : [])),
    interfaces: text("/proc/net/dev")
      .split("\n")
      .slice(2)
      .map((row) => row.split(":")[0].trim())
      .filter(Boolean)
      .sort(),
    /** open files that no descriptor of any process shows: mapped ones, and any that the kernel had kept for somebody who has gone */
    unseenFiles:
      Number(text("/proc/sys/fs/file-nr").split(/\s+/)[0]) - all.reduce((sum, { descriptors }) => sum + descriptors, 0),
    sysctls: sysctls(),
    temporary: names("/tmp")
      .filter((name) => /one-?listener|lab-host/i.test(name))
      .sort(),
    notebooks: names(path.join(root, "notebooks")).sort(),
    exercises: names(path.join(root, "exercises")).sort(),
  };
}

type Machine = ReturnType<typeof machine>;

/** What a notebook has left, in words; empty: nothing. `folder` was the folder for its temporary files. */
function left(before: Machine, after: Machine, folder: string): string[] {
  const found: string[] = [];
  const fresh = [...after.running].filter(([id]) => !before.running.has(id)).map(([, each]) => each);
  for (const { command } of fresh.filter(({ ours }) => ours)) found.push(`the process "${command}"`);

  // Processes of others come and go while a notebook runs, and may have namespaces of their own; ours, and those that were there, have no new ones.
  const known = new Set([...before.running.values()].flatMap(({ namespaces }) => namespaces));
  const held = [...after.running]
    .filter(([id, { ours }]) => ours || before.running.has(id))
    .flatMap(([, { namespaces }]) => namespaces);
  for (const namespace of new Set(held)) if (!known.has(namespace)) found.push(`the namespace ${namespace}`);
  for (const namespace of after.mounted)
    if (!before.mounted.includes(namespace)) found.push(`the mounted namespace ${namespace}`);

  // Descriptors go with their processes; what those that were there before open meanwhile is their own affair. But a file may be open without one: in a message
  // that nobody took, in a connection that nobody accepted. A process maps its program and libraries, some forty files that have no descriptor, and shares others with its children: so much for each that has come
  // or gone. The rest is what the kernel's caches of freed files hold back on each processor.
  const changed = fresh.length + [...before.running.keys()].filter((id) => !after.running.has(id)).length;
  const files = after.unseenFiles - before.unseenFiles;
  if (files > 64 + 40 * changed) found.push(`${files} open files without a descriptor`);

  for (const [name, value] of Object.entries(after.sysctls))
    if (before.sysctls[name] !== value)
      found.push(`${name}: ${value.trim()} instead of ${before.sysctls[name]?.trim() ?? "nothing"}`);
  for (const name of Object.keys(before.sysctls)) if (!(name in after.sysctls)) found.push(`${name} is gone`);
  for (const kind of ["interfaces", "temporary", "notebooks", "exercises"] as const) {
    for (const name of after[kind]) if (!before[kind].includes(name)) found.push(`${name} in ${kind}`);
    for (const name of before[kind]) if (!after[kind].includes(name)) found.push(`${name} is gone from ${kind}`);
  }
  for (const name of names(folder)) found.push(`${name} in the folder for temporary files`);
  return found;
}

/** What is still left when all that ends by itself has had its time: freed sockets and files wait for the kernel's RCU, a Lab for its helper. */
async function leftInTheEnd(before: Machine, folder: string): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const found = left(before, machine(), folder);
    if (found.length === 0 || tries === 50) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Runs a program like a notebook: with the mark, and with a folder of its own for temporary files. */
async function run(folder: string, name: string, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, [mark]: name, TMPDIR: folder },
  });
  let said = "";
  child.stderr.on("data", (part) => (said += part));
  const [code] = await once(child, "exit");
  assert.equal(code, 0, said);
}

/** Files beside a notebook that it makes for its reader to keep, and says so. */
const given: Record<string, string[]> = { "02": ["handshake-by-hand.pcapng"] };

describe("after a notebook", function () {
  this.timeout(180_000);
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(path.join(os.tmpdir(), "untouched-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const notebook of readdirSync(path.join(root, "notebooks")).flatMap(
    (file) => /^(\d\d)-.*\.ipynb$/.exec(file)?.[1] ?? [],
  )) {
    it(`${notebook}: no process, namespace, open file, file or sysctl of the machine is different`, async function () {
      pythonOf(this);
      const before = machine();
      await run(folder, notebook, path.join(root, "setup", "notebooks.mjs"), notebook);
      for (const file of given[notebook] ?? []) {
        const place = path.join(root, "notebooks", file);
        assert.ok(existsSync(place), `${file} was promised`);
        if (!before.notebooks.includes(file)) rmSync(place);
      }
      assert.deepEqual(await leftInTheEnd(before, folder), []);
    });
  }

  it("what is different is found: a sysctl, an interface, a mounted namespace, files, open files", () => {
    const before = machine();
    assert.ok(
      Object.keys(before.sysctls).length > 300 &&
        "net/core/somaxconn" in before.sysctls &&
        "fs/nr_open" in before.sysctls,
      "all sysctls are looked at",
    );
    const after: Machine = {
      ...before,
      sysctls: { ...before.sysctls, "net/core/somaxconn": "1" },
      interfaces: [...before.interfaces, "wire0"],
      mounted: [...before.mounted, "net:[1]"],
      notebooks: [...before.notebooks, "core"],
      temporary: [...before.temporary, "one-listener-left"],
      unseenFiles: before.unseenFiles + 100,
    };
    assert.deepEqual(left(before, before, folder), []);
    const found = left(before, after, folder);
    assert.equal(found.length, 6, found.join("\n"));
  });

  it("what is left behind is found: a process with its Lab, a file", async () => {
    const before = machine();
    // a program that outlives the one that started it, in a session of its own, holding a Lab and a temporary file
    const holder = `const { Lab } = require("one-listener"); require("fs").writeFileSync(require("path").join(process.env.TMPDIR, "left"), ""); Lab.open({ wire: false }).then(() => { process.send("open"); process.disconnect(); setInterval(() => 0, 1000); });`;
    const starter = `const child = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(holder)}], { detached: true, stdio: ["ignore", "ignore", "ignore", "ipc"] }); child.on("message", () => { require("fs").writeFileSync(require("path").join(process.env.TMPDIR, "pid"), String(child.pid)); process.exit(); });`;
    await run(folder, "left", "-e", starter);
    const found = left(before, machine(), folder);
    process.kill(Number(readFileSync(path.join(folder, "pid"), "utf8")), "SIGKILL");
    for (const expected of [
      /^the process ".*setInterval/,
      /^the process ".*lab-host/,
      /^the namespace net:\[\d+\]$/,
      /^left in the folder/,
    ]) {
      assert.ok(
        found.some((each) => expected.test(each)),
        `${expected} among\n${found.join("\n")}`,
      );
    }
    rmSync(path.join(folder, "left"));
    rmSync(path.join(folder, "pid"));
    assert.deepEqual(await leftInTheEnd(before, folder), [], "and what has ended is not");
  });
});
