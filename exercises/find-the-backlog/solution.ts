/**
 * Over loopback a handshake ends inside connect(), so whoever fits is connected at once, and everybody else's SYN is dropped: the queue
 * was full when it came. The connected ones fill the queue, and it holds one more than its maximum.
 */
import type { Lab } from "one-listener";

export async function findTheBacklog(lab: Lab, { port }: { port: number }): Promise<number> {
  const crowd = await lab.connect(port, { clients: 250 });
  const { established } = crowd.counts();
  return established - 1;
}
