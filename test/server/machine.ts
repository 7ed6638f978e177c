/** The machine before and after a notebook: processes, namespaces, open files, sysctls, interfaces, files. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import path from "node:path";
import type { Context } from "mocha";
import { inProject, projectDir } from "../fixtures/project";
import { runProgram } from "../fixtures/processes";
import { TemporaryFolder } from "../fixtures/temporary-folder";
import { until } from "../fixtures/waiting";
import { pythonOf } from "../kernel/driven-kernel";

/** A variable in the environment of all that a notebook starts. */
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
function sysctls(): Record<string, string | undefined> {
  const found: Record<string, string | undefined> = {};
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
        [link(`${folder}/exe`), link(`${folder}/cwd`)].some(
          (place) => place === projectDir || place.startsWith(`${projectDir}/`),
        ),
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
export function machine() {
  const running = processes();
  const all = [...running.values()];
  return {
    running,
    /** namespaces that stay although no process is in them */
    mounted: text("/proc/self/mountinfo")
      .split("\n")
      .flatMap((mount) => (/ - nsfs .*/.test(mount) ? [mount.split(" ")[3]] : [])),
    interfaces: text("/proc/net/dev")
      .split("\n")
      .slice(2)
      .map((row) => row.split(":")[0].trim())
      .filter(Boolean)
      .sort(),
    /** open files that no descriptor of any process shows: mapped ones, and those that the kernel keeps after their process has ended */
    unseenFiles:
      Number(text("/proc/sys/fs/file-nr").split(/\s+/)[0]) - all.reduce((sum, { descriptors }) => sum + descriptors, 0),
    sysctls: sysctls(),
    temporary: names("/tmp")
      .filter((name) => /one-?listener|lab-host/i.test(name))
      .sort(),
    notebooks: names(inProject("notebooks")).sort(),
    exercises: names(inProject("exercises")).sort(),
  };
}

export type Machine = ReturnType<typeof machine>;

/** The namespaces that only `after` shows. Other programs come and go, and may have namespaces of their own. */
function freshNamespaces(before: Machine, after: Machine): string[] {
  const known = new Set([...before.running.values()].flatMap(({ namespaces }) => namespaces));
  const held = [...after.running]
    .filter(([id, { ours }]) => ours || before.running.has(id))
    .flatMap(([, { namespaces }]) => namespaces);
  return [
    ...[...new Set(held)].filter((each) => !known.has(each)).map((each) => `the namespace ${each}`),
    ...after.mounted.filter((each) => !before.mounted.includes(each)).map((each) => `the mounted namespace ${each}`),
  ];
}

function changedSysctls(before: Machine, after: Machine): string[] {
  const changed = Object.entries(after.sysctls).filter(([name, value]) => before.sysctls[name] !== value);
  const gone = Object.keys(before.sysctls).filter((name) => !(name in after.sysctls));
  return [
    ...changed.map(
      ([name, value]) => `${name}: ${value?.trim()} instead of ${before.sysctls[name]?.trim() ?? "nothing"}`,
    ),
    ...gone.map((name) => `${name} is gone`),
  ];
}

/** What a notebook has left, in words; empty: nothing. `folder` was the folder for its temporary files. */
export function left(before: Machine, after: Machine, folder: string): string[] {
  const fresh = [...after.running].filter(([id]) => !before.running.has(id)).map(([, each]) => each);
  const found = fresh.filter(({ ours }) => ours).map(({ command }) => `the process "${command}"`);
  found.push(...freshNamespaces(before, after));

  // The kernel closes the descriptors of a process that ends. But a file may be open without a descriptor: in a message
  // or a connection that no process has taken. A process maps its program and libraries, about 40 files that have no
  // descriptor, and shares others with its children: allow 40 for each process that came or ended. The rest is what the
  // kernel's caches of freed files keep for each processor.
  const changed = fresh.length + [...before.running.keys()].filter((id) => !after.running.has(id)).length;
  const files = after.unseenFiles - before.unseenFiles;
  if (files > 64 + 40 * changed) found.push(`${files} open files without a descriptor`);

  found.push(...changedSysctls(before, after));
  for (const kind of ["interfaces", "temporary", "notebooks", "exercises"] as const) {
    found.push(...after[kind].filter((name) => !before[kind].includes(name)).map((name) => `${name} in ${kind}`));
    found.push(
      ...before[kind].filter((name) => !after[kind].includes(name)).map((name) => `${name} is gone from ${kind}`),
    );
  }
  found.push(...names(folder).map((name) => `${name} in the folder for temporary files`));
  return found;
}

/**
 * What is still left after everything that ends by itself has had 10 s: freed sockets and files wait for the kernel's
 * RCU, a Lab for its helper.
 */
export async function leftInTheEnd(before: Machine, folder: string): Promise<string[]> {
  let found: string[] = [];
  const nothing = () => (found = left(before, machine(), folder)).length === 0;
  await until(nothing, "nothing is left", 10_000).catch(() => undefined);
  return found;
}

/** Runs a program like a notebook: with the mark, and with a folder of its own for temporary files. */
export async function runMarked(folder: string, name: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await runProgram(process.execPath, args, {
    cwd: projectDir,
    env: { ...process.env, [mark]: name, TMPDIR: folder },
  });
  assert.equal(code, 0, stderr);
}

/** Files beside a notebook that it makes for its reader to keep, and says so. */
const given: Record<string, string[]> = { "02": ["handshake-by-hand.pcapng"] };

/** The notebooks, by the two digits of their names. */
export const notebooks = readdirSync(inProject("notebooks")).flatMap(
  (file) => /^(\d\d)-.*\.ipynb$/.exec(file)?.[1] ?? [],
);

/** Runs a notebook on the real Jupyter kernel, and fails if anything on the machine is different afterwards. */
export async function leavesTheMachineAsItWas(context: Context, notebook: string): Promise<void> {
  pythonOf(context);
  using folder = new TemporaryFolder("untouched");
  // before the first look, since the folder lies where temporary files are looked for
  const { place } = folder;
  const before = machine();
  await runMarked(place, notebook, inProject("setup", "notebooks.mjs"), notebook);
  for (const file of given[notebook] ?? []) {
    const made = inProject("notebooks", file);
    assert.ok(existsSync(made), `${file} was promised`);
    if (!before.notebooks.includes(file)) rmSync(made);
  }
  assert.deepEqual(await leftInTheEnd(before, place), []);
}
