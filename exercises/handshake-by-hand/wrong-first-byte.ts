// forgets that the SYN has a number of its own: the first byte of the message gets it, and the kernel has seen that number already
// fails: the message arrives
import type { Lab } from "one-listener";

export async function handshakeByHand(
  lab: Lab,
  { port, message }: { port: number; message: string },
): Promise<void> {
  const peer = (await lab.wire()).peer(port);
  peer.syn();
  await peer.receive();
  peer.ack();
  peer.send(message, { sequence: peer.initialSequence });
}
