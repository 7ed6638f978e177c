/**
 * What tells one Linux kernel from another by measurement alone: small experiments, each of which comes out otherwise on some kernel
 * between 5.10 and 7.2. No version number is read.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { requireInteger } from "../errors";
import { Lab } from "../front-door";
import type { SysctlAccess, SysctlValues } from "../lab/sysctls";
import { native } from "../native";
import { msUntil } from "../waiting/until";

/** What kernelTraits() has measured on one kernel. */
export interface KernelTraits {
  /** SYN cookies off: `syns` SYNs to a listener with this backlog, and how many requests the SYN queue held */
  synQueue: { backlog: number; syns: number; held: number };
  /** SYN cookies off: clients that connected to listen(0), and how many connections waited for accept() */
  zeroBacklog: { clients: number; waiting: number };
  /** time of one look at an empty SYN queue, µs, in a Lab that asked for a connection hash of that many buckets; the least of many looks */
  looks: { buckets: number; time: number }[];
  /**
   * One of two listeners of a port closes under tcp_migrate_req = 1: connections that waited in its queue, and how many of them the other
   * listener got. null: this kernel has no such setting
   */
  migrated: { queued: number; moved: number } | null;
  /** what a Lab of an ordinary user can do with net.core.somaxconn */
  somaxconn: SysctlAccess;
  /** whether a final ACK that echoes a timestamp that the kernel has never sent completes the handshake */
  wrongEcho: "completes" | "is dropped";
  /** whether the kernel has counters for UDP-Lite */
  udpLite: boolean;
}

/** buckets of the connection hash: a Lab's own default, and a large server's */
const hashes = [1024, 262_144] as const;
/** looks in a row, and how often each Lab has its turn */
const looksEach = 20;
const turns = 20;
/** ms between two turns */
const pause = 5;
/** ms in which a handshake inside this machine has ended, on a slow kernel as well */
const settle = 100;

/**
 * Measures this kernel, in Labs of its own, within a second or two; on a user-mode kernel that shares a busy machine within ten.
 * @param backlog of the listener whose SYN queue is filled, 1 to 1000; default 16
 * @throws ForbiddenError, LabError: no Lab can be opened; ArgumentError
 */
export async function kernelTraits(backlog = 16): Promise<KernelTraits> {
  requireInteger(backlog, "backlog", 1, 1000);
  const looks = await lookAt(hashes);
  const lab = await Lab.open({ sysctls: { "net.ipv4.tcp_syncookies": 0, "net.ipv4.tcp_max_syn_backlog": 4096 } });
  try {
    return {
      synQueue: await fill(lab, backlog),
      zeroBacklog: await zero(lab),
      looks,
      migrated: await migrate(lab),
      somaxconn: await lab.sysctl.access("net.core.somaxconn"),
      wrongEcho: await echo(lab),
      udpLite: lab.counters().values.has("UdpLite.InDatagrams"),
    };
  } finally {
    await lab.close();
  }
}

/** Source: inet_csk_reqsk_queue_is_full() */
async function fill(lab: Lab, backlog: number): Promise<KernelTraits["synQueue"]> {
  const syns = 2 * backlog + 10;
  const listener = await lab.listen({ backlog });
  const flood = await lab.flood(listener, { count: syns });
  await flood.finished();
  const held = listener.synQueue;
  await flood.close();
  await listener.close();
  return { backlog, syns, held };
}

async function zero(lab: Lab): Promise<KernelTraits["zeroBacklog"]> {
  const listener = await lab.listen({ backlog: 0 });
  const clients = await lab.connect(listener, { clients: 3, quiet: settle });
  const waiting = listener.acceptQueue;
  await clients.close();
  await listener.close();
  return { clients: 3, waiting };
}

/**
 * The least time of a look in each Lab, µs. They take turns, since a busy machine is slow for tens of milliseconds, and then for all.
 * Source: inet_pernet_hashinfo_alloc(); the look walks the whole hash: inet_diag_dump_icsk()
 */
async function lookAt(all: readonly number[]): Promise<KernelTraits["looks"]> {
  const labs: Lab[] = [];
  try {
    for (const hashBuckets of all) labs.push(await Lab.open({ wire: false, hashBuckets }));
    const listeners = await Promise.all(labs.map((lab) => lab.listen()));
    const least = listeners.map(() => Infinity);
    for (let turn = 0; turn < turns; turn++) {
      for (const [at, listener] of listeners.entries()) {
        for (let look = 0; look < looksEach; look++)
          least[at] = Math.min(
            least[at] ?? Infinity,
            timeOf(() => listener.synQueue),
          );
      }
      await sleep(pause);
    }
    return all.map((buckets, at) => ({ buckets, time: (least[at] ?? NaN) * 1000 }));
  } finally {
    for (const lab of labs) await lab.close();
  }
}

/** ms */
function timeOf(look: () => number): number {
  const start = native.now();
  look();
  return native.now() - start;
}

/** Source: inet_csk_listen_stop(), reuseport_migrate_sock() */
async function migrate(lab: Lab): Promise<KernelTraits["migrated"]> {
  const refused = await lab.sysctl.trySet({ "net.ipv4.tcp_migrate_req": 1 });
  if (refused.length > 0) return null;
  const first = await lab.listen({ backlog: 50, reusePort: true });
  const second = await lab.listen({ port: first.port, backlog: 50, reusePort: true });
  const clients = await lab.connect(first.port, { clients: 20, quiet: settle });
  const [queued, before] = [first.acceptQueue, second.acceptQueue];
  await first.close();
  await msUntil(() => second.acceptQueue === before + queued, settle);
  const moved = second.acceptQueue - before;
  await clients.close();
  await second.close();
  return { queued, moved };
}

/** Source: tcp_check_req(), which compares the echo with the timestamps of its SYN-ACKs */
async function echo(lab: Lab): Promise<KernelTraits["wrongEcho"]> {
  const listener = await lab.listen();
  const peer = (await lab.wire()).peer(listener);
  peer.syn({ timestamps: true });
  const answer = await peer.receive();
  const sent = answer.options.find((option) => option.kind === "timestamps");
  if (sent === undefined) throw new TypeError("A SYN-ACK without the timestamps that the SYN offered.");
  const wrong = { ...sent, value: Math.floor(native.now()) >>> 0, echo: (sent.value + 1_000_000) >>> 0 };
  peer.ack({ options: [{ kind: "nop" }, { kind: "nop" }, wrong] });
  await msUntil(() => listener.acceptQueue === 1, settle);
  const waiting = listener.acceptQueue;
  await listener.close();
  return waiting === 1 ? "completes" : "is dropped";
}

/**
 * When the kernel of a client retransmits a SYN that gets no answer: it meets a full accept queue.
 * @param watch ms for which the client is watched
 * @param sysctls of the client's Lab; default: the kernel's own values
 * @returns ms from connect() to each retransmission, to about 5 ms; null: this kernel does not have one of the settings
 * @throws ForbiddenError, LabError: no Lab can be opened; ArgumentError
 */
export async function synRetransmissions(watch: number, sysctls: SysctlValues = {}): Promise<number[] | null> {
  requireInteger(watch, "watch", 1, 200_000);
  const lab = await Lab.open({ wire: false });
  try {
    if ((await lab.sysctl.trySet(sysctls)).length > 0) return null;
    const listener = await lab.listen({ backlog: 0 });
    await lab.connect(listener, { quiet: 0 });
    await msUntil(() => listener.acceptQueue === 1, settle);
    const recording = await lab.record(listener, {
      hz: 200,
      countersHz: 200,
      counters: ["TcpExt.TCPSynRetrans"],
      live: false,
    });
    const start = native.now() - recording.elapsed;
    const connecting = native.now() - start;
    await lab.connect(listener, { quiet: 0 });
    await sleep(watch);
    const { time, values } = (await recording.stop()).column("TcpExt.TCPSynRetrans");
    return Array.from(time)
      .filter((_, row) => row > 0 && (values[row] ?? 0) > (values[row - 1] ?? 0))
      .map((ms) => Math.round(ms - connecting));
  } finally {
    await lab.close();
  }
}
