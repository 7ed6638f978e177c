import { release } from "node:os";
import { getSystemErrorName } from "node:util";
import { LabError } from "../errors";
import type { Sampler } from "../native";
import { TraceBuilder, type RecordingMeta } from "./builder";
import { formatTime } from "../wording/number";
import type { Trace } from "./trace";

/** ms between two takes of the sampler's rows; live plots are updated no faster */
const takeInterval = 50;

/** The sampler and the facts about a recording, from which a Recording is made. */
export interface RecordingOptions {
  /** not started; the Recording starts and stops it */
  sampler: Sampler;
  /** `startedAt` and `kernel` default to now and to this kernel */
  meta: Omit<RecordingMeta, "startedAt" | "kernel"> & Partial<Pick<RecordingMeta, "startedAt" | "kernel">>;
  /** as given to the sampler, in its order; default: no counters */
  counterNames?: readonly string[];
  /** runs once when the sampler has ended, for any reason; stop() waits for it */
  onStop?: (trace: Trace) => void | Promise<void>;
}

/** Called with the recording after new rows or events, and once more when it has ended (then `running` is false). */
export type RecordingListener = (recording: Recording) => void;

/**
 * A running recording of one listener: it takes the sampler's rows every 50 ms and builds a Trace of them. See
 * Lab.record().
 */
export class Recording {
  readonly #sampler: Sampler;
  readonly #builder: TraceBuilder;
  readonly #meta: RecordingMeta;
  readonly #onStop: RecordingOptions["onStop"];
  readonly #listeners = new Set<RecordingListener>();
  readonly #timer: NodeJS.Timeout;
  #running = true;
  #revisionSeen = 0;
  #finished: Trace | undefined;
  #failure: Error | undefined;
  #stopped: Promise<Trace> | undefined;

  /** Starts the sampler. @throws what Sampler.start() throws */
  constructor({ sampler, meta, counterNames = [], onStop }: RecordingOptions) {
    this.#sampler = sampler;
    this.#builder = new TraceBuilder(counterNames);
    this.#onStop = onStop;
    sampler.start();
    this.#meta = { startedAt: new Date().toISOString(), kernel: release(), ...meta };
    this.#timer = setInterval(() => this.#takeRows(), takeInterval);
    this.#timer.unref();
  }

  /** false from the first call of stop() on, and after a failure has ended the recording */
  get running(): boolean {
    return this.#running;
  }

  /** ms since the recording started; after the end its whole length */
  get elapsed(): number {
    return this.#finished?.end ?? monotonic() - this.#sampler.startedAt;
  }

  /** The Trace so far, without a copy. After the end, also of a failed recording, the whole Trace. */
  get trace(): Trace {
    return this.#finished ?? this.#builder.snapshot(this.#meta, this.elapsed);
  }

  /**
   * Records an event.
   * @param name what happened, in a word
   * @param detail what a label shows beside the name
   * @param at the moment, CLOCK_MONOTONIC ms (native.now()); default: now
   * @throws LabError ERR_CLOSED: the recording has ended
   */
  mark(name: string, detail?: string, at: number = monotonic()): void {
    if (!this.#running)
      throw new LabError(`"${name}" cannot be marked: this recording has ended.`, {
        code: "ERR_CLOSED",
        hint: "Mark before stop(), or start a new recording.",
      });
    this.#builder.event({
      time: Math.max(at - this.#sampler.startedAt, 0),
      name,
      ...(detail !== undefined && { detail }),
    });
  }

  /**
   * Calls `listener` after each take with new rows or events, until the returned function is called or the recording
   * has ended.
   */
  onUpdate(listener: RecordingListener): () => void {
    if (this.#running) this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Ends the recording. Every call resolves to the same Trace.
   * @throws LabError the sampler failed while it ran; what it had recorded until then is in `recording.trace`
   */
  stop(): Promise<Trace> {
    if (this.#stopped === undefined) {
      this.#stopped = this.#end();
      // a failed recording that is never stopped by its owner must not end the process as an unhandled rejection
      this.#stopped.catch(() => undefined);
    }
    return this.#stopped;
  }

  /**
   * Ends the recording, and does not fail if the recording has: for a Lab or a cell that closes everything. Idempotent.
   */
  async close(): Promise<void> {
    await this.stop().catch(() => undefined);
  }

  #takeRows(): void {
    try {
      this.#appendRows();
    } catch (cause) {
      this.#failure ??= cause as Error;
    }
    if (this.#failure !== undefined) void this.stop();
    else if (this.#builder.revision !== this.#revisionSeen) this.#notify();
  }

  #appendRows(): void {
    const rows = this.#sampler.take();
    this.#builder.append(rows);
    if (rows.error !== 0) this.#failure ??= samplingFailure(rows.errorSyscall, rows.error, this.elapsed);
  }

  async #end(): Promise<Trace> {
    this.#running = false;
    clearInterval(this.#timer);
    try {
      await this.#sampler.stop();
      this.#appendRows();
    } catch (cause) {
      this.#failure ??= cause as Error;
    }
    const trace = this.#builder.finish(this.#meta);
    this.#finished = trace;
    this.#notify();
    this.#listeners.clear();
    await this.#onStop?.(trace);
    if (this.#failure !== undefined) throw this.#failure;
    return trace;
  }

  #notify(): void {
    this.#revisionSeen = this.#builder.revision;
    for (const listener of this.#listeners) {
      try {
        listener(this);
      } catch (error) {
        // an error of a picture must not end the recording
        this.#listeners.delete(listener);
        process.emitWarning(error as Error);
      }
    }
  }
}

function samplingFailure(syscall: string, errno: number, elapsed: number): LabError {
  const name = getSystemErrorName(-errno);
  return new LabError(`The recording ended by itself after ${formatTime(elapsed)}: ${syscall} failed with ${name}.`, {
    code: name,
    errno,
    syscall,
    hint: "Was the listener or its Lab closed? recording.trace has what was recorded until then.",
  });
}

/** CLOCK_MONOTONIC, ms: the sampler's clock */
function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
