/**
 * The client's own state does not help: the client became ESTABLISHED when it got the SYN-ACK, before its ACK reached the server. So the
 * server's table decides, by the client's end of the 4-tuple. A connection that waits for accept() counts; a request in SYN_RECV does not.
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
