import type { Lab } from "one-listener";

export async function findTheBacklog(lab: Lab, { port }: { port: number }): Promise<number> {
  const crowd = await lab.connect(port, { clients: 10 });
  return crowd.length;
}
