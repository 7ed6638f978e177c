/** The listening sockets of this process's own network namespace, read by sock_diag: whose they are and how full. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { native } from "../native";

/** 1 << TCP_LISTEN, include/net/tcp_states.h */
const listenMask = 1 << 10;

/** A socket in the state LISTEN. */
export interface Listening {
  port: number;
  /** of IP: an IPv6 listener usually takes IPv4 connections, too */
  version: 4 | 6;
  /** connections that wait for accept() */
  acceptQueue: number;
  /** min(backlog, somaxconn); one more than that fits in */
  maximum: number;
  inode: number;
}

/** All listeners, or those on one port (several with SO_REUSEPORT, or one for each version of IP), ascending by port. */
export function readListening(diagFd: number, port = 0): Listening[] {
  const found = ([4, 6] as const).flatMap((version) => {
    const rows = native.diag(diagFd, listenMask, port, version);
    return Array.from({ length: rows.length }, (_, at): Listening => ({
      port: rows.localPort[at],
      version,
      acceptQueue: rows.receiveQueue[at],
      maximum: rows.sendQueue[at],
      inode: rows.inode[at],
    }));
  });
  return found.sort((a, b) => a.port - b.port || a.version - b.version);
}

/** Share of what fits into the accept queue, 0 to 1: sk_acceptq_is_full() says full only beyond the maximum. */
export function fullness({ acceptQueue, maximum }: Pick<Listening, "acceptQueue" | "maximum">): number {
  return acceptQueue / (maximum + 1);
}

/** Who holds each socket: "nginx (1234)" by inode. Processes of other users are left out where they may not be looked into. */
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
      // it has ended, or is another user's
    }
  }
  return found;
}

/** "nginx (12), nginx (13) and 6 more": each of those who hold the listeners once. */
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
