/**
 * A SYN without an ACK after the SYN-ACK: the kernel holds a request_sock until the ACK comes, or until its timer has fired too often.
 * There is one request for each address and port, so each SYN needs a sender of its own.
 */
import type { Lab } from "one-listener";

export async function freezeNHandshakes(
  lab: Lab,
  { port, n }: { port: number; n: number },
): Promise<void> {
  const wire = await lab.wire();
  const peers = Array.from({ length: n }, (_, at) => wire.peer(port, { port: 40_000 + at }));
  for (const peer of peers) peer.syn();
  for (const peer of peers) await peer.receive(); // each has its SYN-ACK, and sends nothing more
}
