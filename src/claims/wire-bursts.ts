/**
 * Bursts of clients that are a round-trip time away: all SYNs come before the first ACK does, so clients are caught between the two.
 */
import type { Lab } from "../front-door";
import { inLab } from "./experiment";
import { atRest } from "../waiting/until";

const backlog = 5;
const rtt = 20;

export interface WireBurst {
  cookies: number;
  clients: number;
  /** connections of the burst in the accept queue once nothing moves */
  queued: number;
  /** requests in SYN_RECV then */
  synQueueWhileFull: number;
  /** clients that are ESTABLISHED then */
  believe: number;
  /** SYNs and final ACKs that the listener dropped */
  drops: number;
  /** clients that were refused or reset */
  refused: number;
  /** requests whose SYN-ACK the server has sent again although the client had answered it */
  resent?: number;
}

/** One burst against a listener in whose accept queue `waitingBefore` connections wait already. Leaves the listener and the clients to the Lab. */
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

/** The three cases: a SYN cookie, a dropped SYN, and a final ACK that comes when the queue has filled meanwhile. */
export function wireBursts(): Promise<WireBurst[]> {
  return inLab({}, async (lab) => {
    await lab.sysctl.set({ "net.ipv4.tcp_syncookies": 1 });
    const on = (await wireBurst(lab, { clients: 20 })).seen;
    await lab.sysctl.set({ "net.ipv4.tcp_syncookies": 0 });
    const off = (await wireBurst(lab, { clients: 20 })).seen;
    const { listener, seen } = await wireBurst(lab, { clients: backlog + 1, waitingBefore: 3 });
    // the first SYN-ACK is resent after a second, if the server takes the handshake for unfinished
    await atRest(() => [listener.synQueue, resends(listener)], { quiet: 1300 });
    return [on, off, { ...seen, resent: resends(listener) }];
  });
}

function resends(listener: { synRequests(): { retransmits: number }[] }): number {
  return listener.synRequests().filter(({ retransmits }) => retransmits > 0).length;
}
