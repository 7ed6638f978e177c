import { release } from "node:os";
import { getSystemErrorName } from "node:util";
import { LabError } from "../errors";
import type { Sampler } from "../native";
import { TraceBuilder, type RecordingMeta } from "./builder";
import { formatTime } from "../wording/number";
import type { Trace } from "./trace";

/** ms between two drains of the sampler; live plots move no faster */
const drainInterval = 50;

export interface RecordingOptions {
  /** not yet started; the Recording starts it and ends it */
  sampler: Sampler;
  /** `startedAt` and `kernel` default to now and to this kernel */
  meta: Omit<RecordingMeta, "startedAt" | "kernel"> & Partial<Pick<RecordingMeta, "startedAt" | "kernel">>;
  /** as given to the sampler, in its order */
  counterNames?: readonly string[];
  /** runs once when the sampler has ended, for whatever reason; stop() waits for it */
  onStop?: (trace: Trace) => void | Promise<void>;
}

/** Called with the recording after new rows or events came, and once more when it has ended (`running` is false then). */
export type RecordingListener = (recording: Recording) => void;

/** A running recording of one listener: takes the sampler's rows every 50 ms and builds a Trace of them. */
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
    this.#timer = setInterval(() => this.#drain(), drainInterval);
    this.#timer.unref();
  }

  get running(): boolean {
    return this.#running;
  }

  /** ms since the recording started, or its whole length once it has ended */
  get elapsed(): number {
    return this.#finished?.end ?? monotonic() - this.#sampler.startedAt;
  }

  /** The Trace so far; costs no copy. After the end, even a failed one, the whole Trace. */
  get trace(): Trace {
    return this.#finished ?? this.#builder.snapshot(this.#meta, this.elapsed);
  }

  /**
   * Notes that something happened.
   * @param at CLOCK_MONOTONIC ms (native.now()) of the moment, if it is not this one
   * @throws LabError the recording has ended
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

  /** Calls `listener` after every drain that brought something, until the returned function is called or the recording has ended. */
  onUpdate(listener: RecordingListener): () => void {
    if (this.#running) this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Ends the recording. Every call resolves to the same Trace.
   * @throws LabError the sampler failed while it ran; what it had recorded until then is in `recording.trace`
   */
  stop(): Promise<Trace> {
    this.#end();
    return this.#stopped as Promise<Trace>;
  }

  #drain(): void {
    try {
      this.#take();
    } catch (cause) {
      this.#failure ??= cause as Error;
    }
    if (this.#failure !== undefined) this.#end();
    else if (this.#builder.revision !== this.#revisionSeen) this.#notify();
  }

  #take(): void {
    const rows = this.#sampler.drain();
    this.#builder.append(rows);
    if (rows.error !== 0) this.#failure ??= samplingFailure(rows.errorSyscall, rows.error, this.elapsed);
  }

  #end(): void {
    if (!this.#running) return;
    this.#running = false;
    clearInterval(this.#timer);
    this.#stopped = this.#settle();
    // a caller that never calls stop() must not be killed by an unhandled rejection
    this.#stopped.catch(() => undefined);
  }

  async #settle(): Promise<Trace> {
    try {
      await this.#sampler.stop();
      this.#take();
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
        // a broken picture must not end the recording
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
    hint: "Was the listener or its Lab closed? What was recorded until then is in recording.trace.",
  });
}

/** CLOCK_MONOTONIC, ms: the sampler's clock */
function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
