/**
 * 200 loopback clients, a backlog of 128, and an application that does not accept: what waits, what is dropped, and what each accept() then brings.
 * Over loopback a handshake ends inside connect(), so the clients come one after the other and the surplus meets a queue that is full already.
 */
import { native } from "../native";
import { inLab } from "./experiment";
import { atRest, msUntil } from "../waiting/until";

const backlog = 128;
const crowd = 200;

export interface LoopbackOverflow {
  backlog: number;
  somaxconn: number;
  cookies: number;
  clients: number;
  /** connections in the accept queue once nothing moves */
  waiting: number;
  /** clients that are connected then */
  established: number;
  /** requests in SYN_RECV then */
  synQueue: number;
  /** SYNs that the listener dropped */
  dropped: number;
  cookiesSent: number;
  refused: number;
  /** clients without a connection when the first accept() was called */
  outside: number;
  /** ms for which the place that this accept() had made stayed empty */
  emptyFor: number;
  /** connections accepted and open at once, after the application had begun to accept */
  open: number;
}

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
    // whoever met a full queue comes again by its own timer
    await second.until(({ idle, synSent }) => idle + synSent === 0, { timeout: 8000 });
    await atRest(() => [loop.accepted, listener.acceptQueue]);
    const open = lab.sockets({ port: listener.port, states: ["ESTABLISHED"] }).filter((row) => row.inode !== 0).length;
    await loop.close();
    return { backlog, somaxconn, cookies, clients: crowd, ...full, emptyFor, open };
  });
}
