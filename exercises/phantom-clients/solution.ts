/**
 * The client's own state tells nothing: it became ESTABLISHED when it had the SYN-ACK, before the server knew of its ACK. So the server's
 * table decides, by the client's end of the 4-tuple. Waiting for accept() is enough to be known; SYN_RECV is not.
 */
import type { Lab } from "one-listener";

export async function phantomClients(
  lab: Lab,
  { port, clients }: { port: number; clients: { address: string; port: number }[] },
): Promise<number[]> {
  const known = new Set(
    lab
      .sockets({ port, states: ["ESTABLISHED"] })
      .map(({ remote }) => `${remote.address}:${remote.port}`),
  );
  return clients.flatMap((client, at) =>
    known.has(`${client.address}:${client.port}`) ? [] : [at],
  );
}
