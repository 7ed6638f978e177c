/** The processes that hold sockets, by their descriptors in /proc. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * The process that holds each socket, "nginx (1234)" by inode. Processes of other users are missing where /proc does
 * not show their descriptors.
 */
export function holders(inodes: ReadonlySet<number>): Map<number, string> {
  const found = new Map<number, string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (found.size === inodes.size) break;
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const inode = Number(/^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1]);
        if (inodes.has(inode) && !found.has(inode))
          found.set(inode, `${readFileSync(`/proc/${pid}/comm`, "utf8").trim()} (${pid})`);
      }
    } catch {
      // the process has ended, or belongs to another user
    }
  }
  return found;
}

/**
 * Remembers who holds which sockets. Finding out is a walk over all processes, so it is done only when the sockets
 * change.
 */
export class Holders {
  private known = "";
  private found = new Map<number, string>();

  /** "nginx (1234)" by inode */
  of(sockets: readonly { inode: number }[]): ReadonlyMap<number, string> {
    const inodes = sockets.map(({ inode }) => inode);
    if (inodes.join() !== this.known) this.found = holders(new Set(inodes));
    this.known = inodes.join();
    return this.found;
  }
}

/** "nginx (12), nginx (13) and 6 more": each process once, at most `most` (or one more) by name. */
export function named(owners: Iterable<string>, most = 2): string {
  const each = [...new Set(owners)];
  return each.length <= most + 1 ? each.join(", ") : `${each.slice(0, most).join(", ")} and ${each.length - most} more`;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
