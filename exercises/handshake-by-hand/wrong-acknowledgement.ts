// acknowledges the SYN-ACK's number instead of the one after it
// fails: the connection is ESTABLISHED
import type { Lab } from "one-listener";

export async function handshakeByHand(
  lab: Lab,
  { port, message }: { port: number; message: string },
): Promise<void> {
  const peer = (await lab.wire()).peer(port);
  peer.syn();
  const answer = await peer.receive();
  peer.ack({ acknowledgment: answer.sequence });
  peer.send(message, { acknowledgment: answer.sequence });
}
