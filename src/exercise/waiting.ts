/** What most checks of servers begin with. */
import { msUntil } from "../claims/experiment";
import type { Lab } from "../front-door";
import type { SocketRow } from "../listener/sockets-table";
import type { Running } from "./attempt";

/** Waits until somebody listens on the port, or the function has ended, or `timeout` ms are over: the listeners then, maybe none. @throws SolutionError the function failed */
export async function listening(lab: Lab, port: number, server: Running, timeout = 3000): Promise<SocketRow[]> {
  const listeners = () => lab.sockets({ port, states: ["LISTEN"] });
  await msUntil(() => !server.running || listeners().length > 0, timeout);
  if (listeners().length === 0 && !server.running) await server.answer;
  return listeners();
}
