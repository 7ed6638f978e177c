/**
 * 200 loopback clients connect to a backlog of 128, and the application does not accept. The experiment measures what waits, what the kernel
 * drops, and how long a place stays empty that accept() makes. Over loopback a handshake ends inside connect(). So the clients connect one
 * after the other, and the last of them meet a full accept queue.
 */
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

    const first = native.accept(listener.fd);
    const emptyFor = first < 0 ? 0 : await msUntil(() => listener.acceptQueue >= full.waiting, 3500);
    if (first >= 0) native.close(first);

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
