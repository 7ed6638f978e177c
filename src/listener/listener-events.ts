/** What happens at a listener, for those who observe it: recordings and ladders. */
import type { ClientThread, Ghosts } from "../native";
import type { AcceptLoop } from "./accept-loop";
import type { Connection } from "./connection";

/** Clients that connect to a listener: Clients, or Ghosts. */
export interface Burst {
  /** their threads, whose states recordings sample */
  readonly natives: readonly (ClientThread | Ghosts)[];
}

/** What observers of a listener (recordings, ladders) learn. */
export interface ListenerEvents {
  /** something that a picture shows at its moment: listen, burst, drain, accept loop … */
  mark: [name: string, detail?: string];
  /** clients are about to connect */
  clients: [clients: Burst];
  /** a connection was accepted by accept(), tryAccept() or acceptAll() */
  accept: [connection: Connection];
  /** an accept loop has started */
  loop: [loop: AcceptLoop];
  /** The listener is closing. Its descriptor stays open until every promise given to `waitFor` is settled. */
  close: [waitFor: (done: Promise<unknown>) => void];
}
