/**
 * Where a user-mode kernel keeps its memory: a file that it maps, and removes from its folder as soon as it is open. Parts of it hold
 * programs, so that a folder mounted noexec does not serve. Source: create_tmp_file(), check_tmpexec() in arch/um/os-Linux/mem.c.
 */
import { accessSync, constants, readFileSync, statfsSync } from "node:fs";
import path from "node:path";
import { LimitError } from "../errors";
import { kernelMemory } from "../lab/memory";

/** A folder that was looked at, and why it does not serve. */
interface Candidate {
  folder: string;
  /** bytes that can be written there */
  free: number;
  problem?: string;
}

const mebibyte = 2 ** 20;
/** bytes; a guest with less cannot run node and a Lab */
const least = 512 * mebibyte;
/** bytes that a guest has where the machine has plenty */
const usual = 2048 * mebibyte;

/** The options of the mount that holds `folder`. Source: proc_pid_mountinfo(5): fields 5 and 6. */
export function mountOptions(folder: string, mountinfo: string): string[] {
  let [best, options] = ["", ""];
  for (const line of mountinfo.split("\n")) {
    const [, , , , place = "", found = ""] = line.split(" ");
    const point = place.replace(/\\040/g, " ");
    const inside = folder === point || folder.startsWith(point === "/" ? "/" : `${point}/`);
    // of mounts over each other the last one counts
    if (point !== "" && inside && point.length >= best.length) [best, options] = [point, found];
  }
  return options.split(",");
}

function look(folder: string, mountinfo: string): Candidate {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(folder);
    const noexec = mountOptions(path.resolve(folder), mountinfo).includes("noexec");
    return { folder, free: bavail * bsize, ...(noexec && { problem: "is mounted noexec" }) };
  } catch (error) {
    return { folder, free: 0, problem: `cannot be written (${(error as NodeJS.ErrnoException).code ?? "no reason"})` };
  }
}

function inMebibytes(bytes: number): string {
  return `${Math.floor(bytes / mebibyte)} MiB`;
}

/** Folder and size of a guest's memory file. */
export interface MemoryFile {
  folder: string;
  /** bytes */
  size: number;
}

/** What memoryFile() looks at; for tests. */
export interface MemoryPlaces {
  folders?: readonly string[];
  mountinfo?: string;
  /** bytes of memory that are free */
  free?: number;
}

/**
 * Finds a folder for a guest's memory: the one that TMPDIR names, /dev/shm, /tmp, /var/tmp. The first that serves is taken; one in memory
 * before one on a disk, which is slower.
 * @param wanted bytes; undefined: 2 GiB, or less where the machine has less, at least 512 MiB
 * @throws LimitError no folder serves: says what is wrong with each
 */
export function memoryFile(wanted?: number, places: MemoryPlaces = {}): MemoryFile {
  const folders =
    places.folders ?? [...new Set([process.env.TMPDIR ?? "", "/dev/shm", "/tmp", "/var/tmp"])].filter(Boolean);
  const mountinfo = places.mountinfo ?? readFileSync("/proc/self/mountinfo", "utf8");
  const candidates = folders.map((folder) => look(folder, mountinfo));
  const needed = wanted ?? least;
  const free = places.free ?? kernelMemory().available;
  const fitting = candidates.find(({ problem, free: space }) => problem === undefined && space >= needed);
  if (free < needed)
    throw new LimitError(
      `The kernel needs ${inMebibytes(needed)} of memory, and this machine has ${inMebibytes(free)} left.`,
      "End other programs, or give it less: --memory 512M.",
    );
  if (fitting === undefined) {
    const told = candidates.map(
      ({ folder, free: space, problem }) => `${folder} ${problem ?? `has ${inMebibytes(space)} free`}`,
    );
    throw new LimitError(
      `No folder serves for the kernel's memory file of ${inMebibytes(needed)}: ${told.join("; ")}.`,
      "Set the variable TMPDIR to a folder with more space that is not mounted noexec.",
    );
  }
  return { folder: fitting.folder, size: wanted ?? Math.min(usual, fitting.free, Math.max(least, free / 2)) };
}
