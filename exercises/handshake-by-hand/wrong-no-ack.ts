// thinks that SYN and SYN-ACK make a connection
// fails: the connection is ESTABLISHED
import type { Lab } from "one-listener";

export async function handshakeByHand(
  lab: Lab,
  { port }: { port: number; message: string },
): Promise<void> {
  const peer = (await lab.wire()).peer(port);
  peer.syn();
  await peer.receive();
}
