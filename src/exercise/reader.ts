/**
 * Clients that keep the bytes they receive. The clients of `lab.connect()` only count theirs, so they do not notice a server that answers
 * `zz` for `ok`. Readers among them do. They use the same addresses, so a server cannot tell which clients are readers.
 */
import { LabError } from "../errors";
import type { Lab } from "../front-door";
import type { Connection } from "../listener/connection";
import { native } from "../native";

/**
 * How a client stands: "outside" has no connection (yet), "open" is connected, "closed" has received the server's FIN, "reset" and
 * "refused" an RST.
 */
export type End = "outside" | "open" | "closed" | "reset" | "refused";

/** characters that a reader keeps */
const most = 1000;

/** One client that connects after a delay, and reads until its connection ends. */
export class Reader {
  /** what has come so far; its first 1,000 bytes at least */
  text = "";
  /** how it stands now */
  end: End = "outside";
  /** its end of the 4-tuple; 0: not connected */
  localPort = 0;
  /** CLOCK_MONOTONIC ms of the moment before connect(); NaN: not yet */
  connectAt = NaN;
  /** CLOCK_MONOTONIC ms at which the first bytes were read: later than they came, never earlier; NaN: not yet */
  answeredAt = NaN;
  /** CLOCK_MONOTONIC ms at which the end was seen: later than it came, never earlier; NaN: not yet */
  endedAt = NaN;
  private connection?: Connection;
  private left = false;

  /** @param delay ms from now to its connect() */
  constructor(lab: Lab, port: number, delay: number) {
    setTimeout(() => {
      // what ends its life is noted, not thrown
      void this.live(lab, port);
    }, delay);
  }

  /** Whether nothing more will come. */
  get over(): boolean {
    return this.end !== "outside" && this.end !== "open";
  }

  /** Closes its connection, if it has one (FIN). Idempotent. */
  async close(): Promise<void> {
    this.left = true;
    await this.connection?.close();
  }

  private async live(lab: Lab, port: number): Promise<void> {
    if (this.left) return;
    this.connectAt = native.now();
    try {
      const connection = await lab.dial(port);
      this.connection = connection;
      // close() may have been called while it connected
      if (this.hasLeft()) {
        await connection.close();
        return;
      }
      this.localPort = connection.local.port;
      this.end = "open";
      for (let part = await connection.read(); part !== null; part = await connection.read()) {
        if (this.text === "") this.answeredAt = native.now();
        if (this.text.length < most) this.text += part.toString("latin1");
      }
      this.finish("closed");
      await connection.close();
    } catch (error) {
      const code = error instanceof LabError ? error.code : "";
      if (code === "ECONNREFUSED") this.finish("refused");
      else if (code === "ECONNRESET") this.finish("reset");
      // otherwise it stays outside, or it or its Lab was closed
    }
  }

  private hasLeft(): boolean {
    return this.left;
  }

  private finish(end: End): void {
    if (this.left) return;
    this.end = end;
    this.endedAt = native.now();
  }
}

/** Readers of what the server on `port` sends, one for each delay. @param delays ms from now to each connect() */
export function readers(lab: Lab, port: number, delays: readonly number[]): Reader[] {
  return delays.map((delay) => new Reader(lab, port, delay));
}
