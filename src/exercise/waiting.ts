/** What most checks of servers begin with, and end with. */
import { msUntil } from "../waiting/until";
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

/** Aborts the function's signal and says what has not ended then, some seconds later: "" if its listener is gone and it has returned. */
export async function remains(lab: Lab, port: number, server: Running): Promise<string> {
  const listeners = () => lab.sockets({ port, states: ["LISTEN"] }).length;
  if (listeners() === 0) return "there was no listener before";
  await server.stop();
  await msUntil(() => listeners() === 0, 500);
  const left: string[] = [];
  if (listeners() > 0) left.push("the listener is still there");
  if (server.running) left.push("the function has not returned");
  else await server.answer.catch((error: Error) => left.push(error.message));
  return left.join("; ");
}
