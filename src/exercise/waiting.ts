/** What most checks of servers begin with, and end with. */
import type { Lab } from "../front-door";
import type { SocketRow } from "../listener/sockets-table";
import { msUntil } from "../waiting/until";
import type { Running } from "./attempt";
import { Missed } from "./failure";
import type { Story } from "./result";

/** ms that a function has to open its listener */
const listenPatience = 3000;
/** ms that the kernel has to take a closed listener out of its table */
const closePatience = 500;

function listenersOn(lab: Lab, port: number): SocketRow[] {
  return lab.sockets({ port, states: ["LISTEN"] });
}

/**
 * Waits until a socket listens on the port, the function has ended, or 3 s are over.
 * @returns the listeners on the port then, maybe none
 * @throws SolutionError the function failed
 */
export async function listening(lab: Lab, port: number, server: Running): Promise<SocketRow[]> {
  await msUntil(() => !server.running || listenersOn(lab, port).length > 0, listenPatience);
  const found = listenersOn(lab, port);
  if (found.length === 0 && !server.running) await server.answer;
  return found;
}

/**
 * Waits until a socket listens on the port, and gives it.
 * @throws Missed no socket listens on the port after 3 s, or when the function has returned
 * @throws SolutionError the function failed
 */
export async function theListener(lab: Lab, port: number, server: Running): Promise<SocketRow> {
  const [listener] = await listening(lab, port, server);
  if (!listener)
    throw new Missed({
      did: "The check called your function",
      expected: `within ${listenPatience / 1000} s a socket listens on port ${port}`,
      measured: "no socket listens there",
    });
  return listener;
}

/**
 * Aborts the function's signal, and waits until the function has returned and its listener is gone: 2.5 s at most.
 * @returns what has not ended then; "" if all has
 */
export async function remains(lab: Lab, port: number, server: Running): Promise<string> {
  if (listenersOn(lab, port).length === 0) return "no socket listened on the port before";
  await server.stop();
  await msUntil(() => listenersOn(lab, port).length === 0, closePatience);
  const left: string[] = [];
  if (listenersOn(lab, port).length > 0) left.push("the listener is still there");
  if (server.running) left.push("the function has not returned");
  else
    await server.answer.catch((error: unknown) => {
      left.push(error instanceof Error ? error.message : String(error));
    });
  return left.join("; ");
}

/** The story of a server that did not end with its signal. @param left what remains() gave */
export function remainsStory(left: string): Story {
  return {
    did: "The check aborted the signal",
    expected: "the listener is closed, and your function returns",
    measured: left,
  };
}
