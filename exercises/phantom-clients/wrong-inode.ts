// thinks that only accepted connections (those with an inode) are known to the server
// fails: only phantoms are named
import type { Lab } from "one-listener";

export async function phantomClients(
  lab: Lab,
  { port, clients }: { port: number; clients: { address: string; port: number }[] },
): Promise<number[]> {
  const known = new Set(
    lab
      .sockets({ port })
      .filter(({ inode }) => inode > 0)
      .map(({ remote }) => `${remote.address}:${remote.port}`),
  );
  return clients.flatMap((client, at) =>
    known.has(`${client.address}:${client.port}`) ? [] : [at],
  );
}
