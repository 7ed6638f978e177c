/** What the machine's kernel uses for sockets. Sources: /proc/meminfo, /proc/net/sockstat (proc(5)). Of the whole machine: compare before and after. */
import { readFileSync } from "node:fs";

export interface KernelMemory {
  /** bytes of the kernel's small objects: sockets, requests, files, inodes (Slab) */
  slab: number;
  /** bytes of data in TCP's buffers, by the page (sockstat's TCP mem) */
  tcpBuffers: number;
  /** bytes that could still be used without swapping (MemAvailable) */
  available: number;
}

/** @throws Error if /proc is not mounted */
export function kernelMemory(): KernelMemory {
  const meminfo = readFileSync("/proc/meminfo", "utf8");
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(meminfo)?.[1] ?? 0);
  const pages = Number(/^TCP:.* mem (\d+)/m.exec(readFileSync("/proc/net/sockstat", "utf8"))?.[1] ?? 0);
  return { slab: 1024 * kilobytes("Slab"), tcpBuffers: pages * pageSize(), available: 1024 * kilobytes("MemAvailable") };
}

/** Bytes of a page, from the auxiliary vector (getauxval(3), AT_PAGESZ). */
export function pageSize(): number {
  const words = readFileSync("/proc/self/auxv");
  const pageSizeEntry = 6n;
  for (let at = 0; at + 16 <= words.length; at += 16) if (words.readBigUInt64LE(at) === pageSizeEntry) return Number(words.readBigUInt64LE(at + 8));
  return 4096;
}
