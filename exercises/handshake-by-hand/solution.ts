/**
 * SYN and FIN count as one in the sequence numbers: that is why the ACK acknowledges the SYN-ACK's number plus one, and why the first byte
 * of the message has the number after our SYN. Until our ACK arrives the kernel holds a request_sock in SYN_RECV. Then it holds a
 * complete connection, in the accept queue.
 */
import type { Lab } from "one-listener";

export async function handshakeByHand(
  lab: Lab,
  { port, message }: { port: number; message: string },
): Promise<void> {
  const wire = await lab.wire();
  const peer = wire.peer(port);
  peer.syn();
  await peer.receive(); // the SYN-ACK
  peer.ack();
  peer.send(message);
}
