/** The set-up that checks of servers share: clients, readers among them, and a recording of the listener's queues meanwhile. */
import type { Lab, LabConnectOptions } from "../front-door";
import type { Clients } from "../listener/clients";
import type { Recording } from "../trace/recording";
import type { Trace } from "../trace/trace";
import { clientEnds, type ClientEnd } from "./client-end";
import { readers, type Reader } from "./reader";

/** What came of an experiment with clients. */
export interface ClientsOutcome {
  /** all clients, as they were when the recording had ended; the readers stand last */
  ends: ClientEnd[];
  /** the listener's queues and counters, from before the first client */
  trace: Trace;
}

/**
 * The clients of an experiment on a student's server. The bytes of most of them are counted; readers among them read theirs. The
 * listener's queues are recorded from before the first connect().
 */
export class RecordedClients {
  private constructor(
    private readonly recording: Recording,
    private readonly counted: Clients,
    private readonly read: readonly Reader[],
  ) {}

  /**
   * Starts the recording, the readers, and then the other clients.
   * @param port of the student's server, which listens already
   * @param counted the clients that are no readers, as for `lab.connect()`
   * @param readerDelays ms from now to the connect() of each reader
   * @returns when `lab.connect()` resolves: each client has its answer, or no state has changed for `counted.quiet` ms
   * @throws LabError as `lab.record()` and `lab.connect()` do
   */
  static async connect(
    lab: Lab,
    port: number,
    counted: LabConnectOptions,
    readerDelays: readonly number[],
  ): Promise<RecordedClients> {
    const recording = await lab.record(port, { live: false });
    const read = readers(lab, port, readerDelays);
    return new RecordedClients(recording, await lab.connect(port, counted), read);
  }

  /** Whether the server has closed every counted connection, and no reader will read more. */
  get served(): boolean {
    return this.counted.counts().closedByServer === this.counted.length && this.read.every(({ over }) => over);
  }

  /** Whether every client has come to an end, by the server's FIN, an RST, or an error of its own. */
  get over(): boolean {
    const { established, synSent, idle } = this.counted.counts();
    return established + synSent + idle === 0 && this.read.every(({ over }) => over);
  }

  /** How many clients have no connection yet: counted clients in SYN_SENT, and readers whose connect() has not succeeded. */
  get outside(): number {
    return this.counted.counts().synSent + this.read.filter(({ end }) => end === "outside").length;
  }

  /** Ends the recording, notes how each client stands, and closes all clients. To be called once. @throws LabError the recording failed */
  async end(): Promise<ClientsOutcome> {
    const trace = await this.recording.stop();
    const ends = clientEnds(this.counted, this.read);
    await Promise.all(this.read.map((each) => each.close()));
    await this.counted.close();
    return { ends, trace };
  }
}
