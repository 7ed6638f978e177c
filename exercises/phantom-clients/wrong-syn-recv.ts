// takes a request in SYN_RECV for a connection: finds no phantom that has a request on the server
// fails: every phantom is found
import type { Lab } from "one-listener";

export async function phantomClients(
  lab: Lab,
  { port, clients }: { port: number; clients: { address: string; port: number }[] },
): Promise<number[]> {
  const known = new Set(
    lab.sockets({ port }).map(({ remote }) => `${remote.address}:${remote.port}`),
  );
  return clients.flatMap((client, at) =>
    known.has(`${client.address}:${client.port}`) ? [] : [at],
  );
}
