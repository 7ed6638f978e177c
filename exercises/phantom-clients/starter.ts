import type { Lab } from "one-listener";

export async function phantomClients(
  lab: Lab,
  { port, clients }: { port: number; clients: { address: string; port: number }[] },
): Promise<number[]> {
  return [];
}
