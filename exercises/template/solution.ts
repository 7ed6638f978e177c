/**
 * Why it works, for students who have solved it.
 */
import type { Lab } from "one-listener";

export async function yourFunction(lab: Lab, { port }: { port: number }): Promise<void> {
  await lab.listen({ port });
}
