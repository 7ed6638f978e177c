// thinks that the last clients are the phantoms, and that accepted connections have left the table
// fails: every phantom is found
import type { Lab } from "one-listener";

export async function phantomClients(
  lab: Lab,
  { port, clients }: { port: number; clients: { address: string; port: number }[] },
): Promise<number[]> {
  const waiting = lab.sockets({ port, states: ["LISTEN"] })[0]?.receiveQueue;
  return clients.map((_, at) => at).slice(waiting);
}
