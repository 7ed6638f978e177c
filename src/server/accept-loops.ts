/**
 * Accept loops as servers write them, over one listener and one handler. Each ends when its listener is closed.
 */
import { InterruptedError, ClosedError, requireInteger } from "../errors";
import type { Connection } from "../listener/connection";
import type { Listener } from "../listener/listener";

/** What a server does with one connection: it serves the connection and closes it. */
export type Handler = (connection: Connection) => Promise<void>;
/** An accept loop. It runs until the listener is closed. */
export type Server = (listener: Listener, handle: Handler) => Promise<void>;

/** A handler that throws ends its own connection and not the server. */
async function attend(handle: Handler, connection: Connection): Promise<void> {
  try {
    await handle(connection);
  } catch (error) {
    await connection.close();
    process.emitWarning(`A handler has thrown: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Runs the handler in the loop: the next accept() waits for it. */
export const blocking: Server = async (listener, handle) => {
  for await (const connection of connections(listener)) await attend(handle, connection);
};

/** Starts the handler of each connection and accepts again at once. */
export const handOff: Server = async (listener, handle) => {
  for await (const connection of connections(listener)) void attend(handle, connection);
};

/** `count` workers, each with a blocking loop of its own over the same listener. @param count 1 to 10,000 @throws ArgumentError */
export function workers(count: number): Server {
  requireInteger(count, "workers", 1, 10_000);
  return async (listener, handle) => {
    await Promise.all(Array.from({ length: count }, () => blocking(listener, handle)));
  };
}

/** The text's semaphore: hand-off for at most `most` connections at a time. While all places are taken, the loop does not accept. @param most 1 to 1,000,000 @throws ArgumentError */
export function limited(most: number): Server {
  requireInteger(most, "most", 1, 1_000_000);
  return async (listener, handle) => {
    let busy = 0;
    let release: () => void = () => undefined;
    for await (const connection of connections(listener)) {
      busy++;
      void attend(handle, connection).finally(() => {
        busy--;
        release();
      });
      if (busy >= most) await new Promise<void>((resolve) => (release = resolve));
    }
  };
}

/** Accepts above the limit, too, and closes these connections at once (sheds load): a FIN, or an RST where the client has already sent data. @param most 1 to 1,000,000 @throws ArgumentError */
export function shedding(most: number): Server {
  requireInteger(most, "most", 1, 1_000_000);
  return async (listener, handle) => {
    let busy = 0;
    for await (const connection of connections(listener)) {
      if (busy >= most) {
        await connection.close();
        continue;
      }
      busy++;
      void attend(handle, connection).finally(() => busy--);
    }
  };
}

/** The connections of a listener, one after the other, until it is closed. */
async function* connections(listener: Listener): AsyncGenerator<Connection> {
  for (;;) {
    try {
      yield await listener.accept();
    } catch (error) {
      if (error instanceof InterruptedError || error instanceof ClosedError) return;
      throw error;
    }
  }
}
