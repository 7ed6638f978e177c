/**
 * 200 loopback clients connect to a backlog of 128, and the application does not accept. The experiment measures what waits, what the kernel
 * drops, and how long a place stays empty that accept() makes. Over loopback a handshake ends inside connect(). So the clients connect one
 * after the other, and the last of them meet a full accept queue.
 */
import type { Listener } from "../listener/listener";
import { native } from "../native";
import { inLab } from "./experiment";
import { atRest, msUntil } from "../waiting/until";

const backlog = 128;
const crowd = 200;

/** What the experiment has measured. */
export interface LoopbackOverflow {
  /** the argument of listen(2) */
  backlog: number;
  /** net.core.somaxconn */
  somaxconn: number;
  /** net.ipv4.tcp_syncookies */
  cookies: number;
  /** clients that connected at once */
  clients: number;
  /** connections in the accept queue when nothing changes any more */
  waiting: number;
  /** clients that are ESTABLISHED then */
  established: number;
  /** requests in SYN_RECV then */
  synQueue: number;
  /** SYNs that the listener dropped (ListenDrops) */
  dropped: number;
  /** SYNs that were answered with a SYN cookie (SyncookiesSent) */
  cookiesSent: number;
  /** clients that were refused or reset */
  refused: number;
  /** clients without a connection when the first accept() was called */
  outside: number;
  /** ms for which the place that this accept() had made stayed empty; Infinity: until the end */
  emptyFor: number;
  /** connections accepted and open at once, after the application had begun to accept */
  open: number;
}

/** ms: a resent SYN that is due at that moment may take a place within this time, but not three places in turn */
const soon = 50;

/**
 * The longest ms for which a place that accept() had made stayed empty. Up to three places are looked at, because a SYN that is due
 * anyway may take the first one at once; a kernel that moves a connection over does so each time.
 */
async function longestEmpty(listener: Listener): Promise<number> {
  let longest = 0;
  for (let place = 0; place < 3 && longest <= soon; place++) {
    const full = listener.acceptQueue;
    const fd = native.accept(listener.fd);
    if (fd < 0) break;
    longest = Math.max(longest, await msUntil(() => listener.acceptQueue >= full, 3500));
    native.close(fd);
  }
  return longest;
}

/**
 * Runs the experiment in a Lab of its own. It takes some seconds, because clients outside connect only at a retransmission.
 * @throws LabError this machine does not allow a Lab
 */
export function loopbackOverflow(): Promise<LoopbackOverflow> {
  return inLab({ wire: false }, async (lab) => {
    const somaxconn = await lab.sysctl.get("net.core.somaxconn");
    const cookies = await lab.sysctl.get("net.ipv4.tcp_syncookies");
    const listener = await lab.listen({ backlog });
    const before = lab.counters();
    const clients = await lab.connect(listener, { clients: crowd });
    await atRest(() => [listener.acceptQueue, listener.synQueue, clients.counts().synSent]);
    const counts = clients.counts();
    const counters = lab.counters().since(before);
    const full = {
      waiting: listener.acceptQueue,
      synQueue: listener.synQueue,
      established: counts.established,
      refused: counts.refused + counts.reset,
      outside: crowd - counts.established,
      dropped: counters.get("ListenDrops"),
      cookiesSent: counters.get("SyncookiesSent"),
    };

    const emptyFor = await longestEmpty(listener);

    const loop = listener.acceptLoop();
    const second = await lab.connect(listener, { clients: crowd });
    // a client that met a full queue retransmits its SYN by its own timer
    await second.until(({ idle, synSent }) => idle + synSent === 0, { timeout: 8000 });
    await atRest(() => [loop.accepted, listener.acceptQueue]);
    const open = lab.sockets({ port: listener.port, states: ["ESTABLISHED"] }).filter((row) => row.inode !== 0).length;
    await loop.close();
    return { backlog, somaxconn, cookies, clients: crowd, ...full, emptyFor, open };
  });
}
