/**
 * Bursts of clients with a round-trip time: all SYNs arrive before the first ACK, so the accept queue fills between the two.
 */
import type { Lab } from "../front-door";
import { inLab } from "./experiment";
import { atRest } from "../waiting/until";

const backlog = 5;
const rtt = 20;

/** What happened to one burst. */
export interface WireBurst {
  /** net.ipv4.tcp_syncookies */
  cookies: number;
  /** mirror clients that connected at once */
  clients: number;
  /** connections of the burst in the accept queue when nothing changes any more */
  queued: number;
  /** requests in SYN_RECV then */
  synQueueWhileFull: number;
  /** clients that are ESTABLISHED then */
  believe: number;
  /** SYNs and final ACKs that the listener dropped */
  drops: number;
  /** clients that were refused or reset */
  refused: number;
  /** requests whose SYN-ACK the server retransmitted although the client had answered it */
  resent?: number;
}

/**
 * One burst of mirror clients (RTT 20 ms) to a listener with backlog 5. Before the burst, `waitingBefore` connections are in its accept
 * queue. The listener and the clients stay open until the Lab is closed.
 */
export async function wireBurst(lab: Lab, { clients, waitingBefore = 0 }: { clients: number; waitingBefore?: number }) {
  const listener = await lab.listen({ backlog });
  if (waitingBefore > 0) await lab.connect(listener, { clients: waitingBefore });
  await atRest(() => [listener.acceptQueue], { quiet: 20 });
  const before = lab.counters();
  const burst = await lab.connect(listener, { clients, kind: "mirror", rtt });
  await atRest(() => [listener.acceptQueue, listener.synQueue, ...Object.values(burst.counts())], { quiet: 6 * rtt });
  const counts = burst.counts();
  const seen: WireBurst = {
    cookies: await lab.sysctl.get("net.ipv4.tcp_syncookies"),
    clients,
    queued: listener.acceptQueue - waitingBefore,
    synQueueWhileFull: listener.synQueue,
    believe: counts.established,
    drops: lab.counters().since(before).get("ListenDrops"),
    refused: counts.refused + counts.reset,
  };
  return { listener, burst, seen };
}

/**
 * Three bursts in a Lab of their own. The clients beyond the capacity get a SYN cookie in the first. In the second the kernel drops their
 * SYNs. In the third it drops their final ACKs, because the accept queue has filled since the SYN.
 * @throws LabError this machine does not allow a Lab with a wire
 */
export function wireBursts(): Promise<[cookie: WireBurst, droppedSyn: WireBurst, droppedAck: WireBurst]> {
  return inLab({}, async (lab) => {
    await lab.sysctl.set({ "net.ipv4.tcp_syncookies": 1 });
    const on = (await wireBurst(lab, { clients: 20 })).seen;
    await lab.sysctl.set({ "net.ipv4.tcp_syncookies": 0 });
    const off = (await wireBurst(lab, { clients: 20 })).seen;
    const { listener, seen } = await wireBurst(lab, { clients: backlog + 1, waitingBefore: 3 });
    // the server retransmits the SYN-ACK after 1 s if the handshake is not complete for it
    await atRest(() => [listener.synQueue, resends(listener)], { quiet: 1300 });
    return [on, off, { ...seen, resent: resends(listener) }];
  });
}

function resends(listener: { synRequests(): { retransmits: number }[] }): number {
  return listener.synRequests().filter(({ retransmits }) => retransmits > 0).length;
}
