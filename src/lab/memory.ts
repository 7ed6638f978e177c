/**
 * The memory that the Linux kernel uses for sockets. The figures are those of the whole machine, so an experiment
 * compares before and after. Sources: /proc/meminfo, /proc/net/sockstat (proc(5)).
 */
import { readFileSync } from "node:fs";
import path from "node:path";

/** The kernel's memory at one moment, in bytes. */
export interface KernelMemory {
  /** bytes of the kernel's small objects: sockets, requests, files, inodes (Slab) */
  slab: number;
  /** bytes of TCP's buffers, counted in whole pages (sockstat's TCP mem) */
  tcpBuffers: number;
  /**
   * bytes that can still be used without swapping (MemAvailable), or bytes that this process's memory cgroup has left:
   * the smaller one
   */
  available: number;
}

/**
 * Reads the kernel's memory now.
 * @throws Error ENOENT: /proc is not mounted
 */
export function kernelMemory(): KernelMemory {
  const meminfo = readFileSync("/proc/meminfo", "utf8");
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(meminfo)?.[1] ?? 0);
  const pages = Number(/^TCP:.* mem (\d+)/m.exec(readFileSync("/proc/net/sockstat", "utf8"))?.[1] ?? 0);
  return {
    slab: 1024 * kilobytes("Slab"),
    tcpBuffers: pages * pageSize(),
    available: Math.min(1024 * kilobytes("MemAvailable"), roomInCgroups()),
  };
}

/**
 * the files of a memory cgroup, version 2 and version 1: its limit, the bytes in use, and the part of them that the
 * kernel can reclaim
 */
const cgroupFiles = {
  2: { root: "/sys/fs/cgroup", limit: "memory.max", used: "memory.current", file: "inactive_file" },
  1: {
    root: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    file: "total_inactive_file",
  },
} as const;

/**
 * Bytes left in that memory cgroup of this process which has the fewest left; Infinity without a limit.
 * Source: Documentation/admin-guide/cgroup-v2.rst
 */
function roomInCgroups(): number {
  const [, version, own] = /^\d+:(memory|):(.*)$/m.exec(sorted(readOr("/proc/self/cgroup"))) ?? [];
  if (own === undefined) return Infinity;
  const { root, limit, used, file } = cgroupFiles[version === "memory" ? 1 : 2];
  let room = Infinity;
  // in a container the path can be one of the host's, which is not mounted here: then only the root of the tree is
  // read, the container's own group
  for (let at = path.join(root, own); at.startsWith(root); at = path.dirname(at)) {
    const most = Number(readOr(path.join(at, limit)).trim() || NaN);
    if (!Number.isFinite(most)) continue;
    const reclaimable = Number(
      new RegExp(`^${file} (\\d+)$`, "m").exec(readOr(path.join(at, "memory.stat")))?.[1] ?? 0,
    );
    room = Math.min(room, Math.max(0, most - Number(readOr(path.join(at, used))) + reclaimable));
  }
  return room;
}

/** Puts the line of version 1's memory controller before the line of version 2, which names no controller. */
function sorted(lines: string): string {
  return lines
    .split("\n")
    .sort((a, b) => Number(/^\d+:memory:/.test(b)) - Number(/^\d+:memory:/.test(a)))
    .join("\n");
}

function readOr(file: string, otherwise = ""): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return otherwise;
  }
}

/**
 * Bytes of one TCP socket, which the kernel tells everybody; 0 if it does not. Every connection has one at each of its ends, so no end
 * needs less. Source: /proc/net/protocols (proto_seq_printf())
 */
export function tcpSocketBytes(): number {
  return Number(/^TCP\s+(\d+)/m.exec(readOr("/proc/net/protocols"))?.[1] ?? 0);
}

/** Bytes per page, from the auxiliary vector. Source: getauxval(3), AT_PAGESZ. */
export function pageSize(): number {
  const words = readFileSync("/proc/self/auxv");
  const pageSizeEntry = 6n;
  for (let at = 0; at + 16 <= words.length; at += 16)
    if (words.readBigUInt64LE(at) === pageSizeEntry) return Number(words.readBigUInt64LE(at + 8));
  return 4096;
}
