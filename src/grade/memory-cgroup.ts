/**
 * A memory cgroup for what a grader's process runs, where the machine lets us make one (root, or a delegated cgroup). It counts what a
 * process's own size does not show: sockets' unread data, files in memory. Elsewhere the bounds on descriptors and files must do.
 * Source: Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** bytes, all processes of one solution and what the kernel keeps for them */
const most = 1536 << 20;
const prefix = "one-listener-grade-";

/** Where this process's own memory cgroup is, and the name of its limit. */
function own(): { folder: string; limit: string } | undefined {
  try {
    const lines = readFileSync("/proc/self/cgroup", "utf8")
      .trim()
      .split("\n")
      .map((line) => {
        const [id = "", controllers = "", place = ""] = line.split(":");
        return { id, controllers: controllers.split(","), place };
      });
    const first = lines.find(({ controllers }) => controllers.includes("memory"));
    if (first) return { folder: path.join("/sys/fs/cgroup/memory", first.place), limit: "memory.limit_in_bytes" };
    const unified = lines.find(({ id }) => id === "0");
    return unified && { folder: path.join("/sys/fs/cgroup", unified.place), limit: "memory.max" };
  } catch {
    return undefined;
  }
}

/**
 * Makes a cgroup named after this process.
 * @returns its folder; undefined where that is not allowed
 */
export function makeMemoryCgroup(): string | undefined {
  const place = own();
  if (!place) return undefined;
  sweep(place.folder);
  const folder = path.join(place.folder, `${prefix}${process.pid}`);
  try {
    mkdirSync(folder);
    // v2 shows the file only where the controller is delegated to children
    if (!existsSync(path.join(folder, place.limit))) throw new Error("no memory controller");
    writeFileSync(path.join(folder, place.limit), String(most));
    return folder;
  } catch {
    remove(folder);
    return undefined;
  }
}

/** A command that enters the cgroup before it becomes `argv`. */
export function within(cgroup: string | undefined, argv: readonly string[]): readonly string[] {
  return cgroup === undefined ? argv : ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', cgroup, ...argv];
}

/** Removes the cgroups of graders that have ended, however they ended. */
function sweep(folder: string): void {
  try {
    for (const name of readdirSync(folder).filter(
      (each) => each.startsWith(prefix) && !existsSync(`/proc/${each.slice(prefix.length)}`),
    ))
      remove(path.join(folder, name));
  } catch {
    // not readable: then nothing of ours is in it
  }
}

function remove(cgroup: string): void {
  try {
    rmdirSync(cgroup);
  } catch {
    // never made, or a process in it is still ending: the next grader's turn
  }
}

/** Removes this process's own, if it is empty. */
export function removeMemoryCgroup(cgroup: string | undefined): void {
  if (cgroup !== undefined) remove(cgroup);
}
