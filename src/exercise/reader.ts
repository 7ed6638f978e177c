/**
 * Clients whose every byte is read. A crowd (`lab.connect`) counts its bytes and no more; whoever answers `zz` for `ok` is found out by
 * some of these among it. They come from the same addresses, so that a server cannot tell them from the others.
 */
import { LabError } from "../errors";
import type { Lab } from "../front-door";
import type { Connection } from "../listener/connection";
import { native } from "../native";

export class Reader {
  /** what has come so far */
  text = "";
  /** "outside": no connection (yet); "open": connected; "closed": the server's FIN has come; "reset"; "refused" */
  end: "outside" | "open" | "closed" | "reset" | "refused" = "outside";
  /** its end of the 4-tuple; 0: not connected */
  localPort = 0;
  /** CLOCK_MONOTONIC ms of the moment before connect(), of the first bytes, and of the end; NaN: not yet. All but the first may be late, never early. */
  connectAt = NaN;
  answeredAt = NaN;
  endedAt = NaN;
  private connection?: Connection;
  private left = false;

  constructor(lab: Lab, port: number, delay: number) {
    setTimeout(() => void this.live(lab, port), delay);
  }

  /** Whether nothing more will come. */
  get over(): boolean {
    return this.end !== "outside" && this.end !== "open";
  }

  /** Goes, if it is still there: FIN. */
  close(): void {
    this.left = true;
    this.connection?.close();
  }

  private async live(lab: Lab, port: number): Promise<void> {
    if (this.left) return;
    this.connectAt = native.now();
    try {
      const connection = (this.connection = await lab.dial(port));
      if (this.left) return connection.close();
      this.localPort = connection.local.port;
      this.end = "open";
      for (let part = await connection.read(); part !== null; part = await connection.read()) {
        if (this.text === "") this.answeredAt = native.now();
        if (this.text.length < 1000) this.text += part.toString("latin1");
      }
      this.finish("closed");
      connection.close();
    } catch (error) {
      const { code } = error as LabError;
      if (code === "ECONNREFUSED") this.finish("refused");
      else if (code === "ECONNRESET") this.finish("reset");
      // otherwise it was left outside, or it has gone, or the Lab has
    }
  }

  private finish(end: "closed" | "reset" | "refused"): void {
    if (this.left) return;
    this.end = end;
    this.endedAt = native.now();
  }
}

/** Readers of what the server on `port` says, one for each delay: ms from now to its connect(). */
export function readers(lab: Lab, port: number, delays: readonly number[]): Reader[] {
  return delays.map((delay) => new Reader(lab, port, delay));
}
