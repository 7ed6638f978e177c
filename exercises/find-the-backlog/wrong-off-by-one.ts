// takes the number of those that fit for the maximum
// fails: a small backlog
import type { Lab } from "one-listener";

export async function findTheBacklog(lab: Lab, { port }: { port: number }): Promise<number> {
  const crowd = await lab.connect(port, { clients: 250 });
  return crowd.counts().established;
}
