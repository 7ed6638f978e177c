/** The listening sockets of this network namespace, read by sock_diag(7): who holds them and how full they are. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { native } from "../native";

/** 1 << TCP_LISTEN, include/net/tcp_states.h */
const listenMask = 1 << 10;

/** A socket in the state LISTEN. */
export interface Listening {
  port: number;
  /** of IP; an IPv6 listener usually accepts IPv4 connections, too (IPV6_V6ONLY) */
  version: 4 | 6;
  /** connections that wait for accept(): its length (sk_ack_backlog) */
  acceptQueue: number;
  /** the queue limit, min(backlog, somaxconn); the capacity is one more */
  maximum: number;
  inode: number;
}

/** All listeners, or those on one port (several with SO_REUSEPORT, or one for each version of IP), ascending by port. */
export function readListening(diagFd: number, port = 0): Listening[] {
  const found = ([4, 6] as const).flatMap((version) => {
    const rows = native.diag(diagFd, listenMask, port, version);
    // every column holds rows.length values
    return Array.from(rows.localPort.subarray(0, rows.length), (listeningPort, at): Listening => ({
      port: listeningPort,
      version,
      acceptQueue: rows.receiveQueue[at] ?? 0,
      maximum: rows.sendQueue[at] ?? 0,
      inode: rows.inode[at] ?? 0,
    }));
  });
  return found.sort((a, b) => a.port - b.port || a.version - b.version);
}

/** The share of the accept queue's capacity that is used, 0 to 1: sk_acceptq_is_full() is true only above the limit. */
export function fullness({ acceptQueue, maximum }: Pick<Listening, "acceptQueue" | "maximum">): number {
  return acceptQueue / (maximum + 1);
}

/** The process that holds each socket, "nginx (1234)" by inode. Processes of other users are missing where /proc does not show their descriptors. */
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
