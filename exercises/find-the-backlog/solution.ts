/**
 * Over loopback a handshake ends inside connect(). So the clients that fit are connected at once, and the kernel drops the SYNs of all
 * others, because the queue is full when they come. The connected clients fill the queue, which holds one more than its limit.
 */
import type { Lab } from "one-listener";

export async function findTheBacklog(lab: Lab, { port }: { port: number }): Promise<number> {
  const crowd = await lab.connect(port, { clients: 250 });
  const { established } = crowd.counts();
  return established - 1;
}
