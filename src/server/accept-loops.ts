/**
 * Accept loops as servers write them, over one listener and one handler. Each ends when its listener is closed.
 */
import { InterruptedError, ClosedError, requireInteger } from "../errors";
import type { Connection } from "../listener/connection";
import type { Listener } from "../listener/listener";

/** Serves one connection and closes it. */
export type Handler = (connection: Connection) => Promise<void>;
/** Runs until the listener is closed. */
export type Server = (listener: Listener, handle: Handler) => Promise<void>;

/** A handler that throws ends its own connection, not the server: the client sees it closed. */
async function attend(handle: Handler, connection: Connection): Promise<void> {
  try {
    await handle(connection);
  } catch (error) {
    connection.close();
    process.emitWarning(`a handler has thrown: ${(error as Error)?.message ?? String(error)}`);
  }
}

/** The handler in the loop: the next accept() waits for it. */
export const blocking: Server = async (listener, handle) => {
  for await (const connection of connections(listener)) await attend(handle, connection);
};

/** Each connection is handed off at once; the loop does nothing but accept. */
export const handOff: Server = async (listener, handle) => {
  for await (const connection of connections(listener)) void attend(handle, connection);
};

/** So many workers, each with a blocking loop of its own over the same listener. */
export function workers(count: number): Server {
  requireInteger(count, "workers", 1, 10_000);
  return async (listener, handle) => {
    await Promise.all(Array.from({ length: count }, () => blocking(listener, handle)));
  };
}

/** The text's semaphore: hand-off, but not more than `most` at a time. While all are taken nobody accepts. */
export function limited(most: number): Server {
  requireInteger(most, "most", 1, 1_000_000);
  return async (listener, handle) => {
    let busy = 0;
    let release = () => undefined as void;
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

/** Accepts above the limit, too, and closes those at once: the client learns at once that it is not wanted. */
export function shedding(most: number): Server {
  requireInteger(most, "most", 1, 1_000_000);
  return async (listener, handle) => {
    let busy = 0;
    for await (const connection of connections(listener)) {
      if (busy >= most) {
        connection.close();
        continue;
      }
      busy++;
      void attend(handle, connection).finally(() => busy--);
    }
  };
}

/** One after the other, until the listener is closed. */
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
