/**
 * A SYN that nobody follows up: the kernel has answered it and holds a request socket until the ACK comes or its timer gives up. One
 * request for each address and port, so each SYN needs a sender of its own.
 */
import type { Lab } from "one-listener";

export async function freezeNHandshakes(
  lab: Lab,
  { port, n }: { port: number; n: number },
): Promise<void> {
  const wire = await lab.wire();
  const peers = Array.from({ length: n }, (_, at) => wire.peer(port, { port: 40_000 + at }));
  for (const peer of peers) peer.syn();
  for (const peer of peers) await peer.receive(); // each has its SYN-ACK, and says no more
}
