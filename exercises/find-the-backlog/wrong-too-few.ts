// connects too few clients for a large one
// fails: a large backlog
import type { Lab } from "one-listener";

export async function findTheBacklog(lab: Lab, { port }: { port: number }): Promise<number> {
  const crowd = await lab.connect(port, { clients: 40 });
  return crowd.counts().established - 1;
}
