/** The file of a recording that runs for hours: it grows while it is recorded, so that a killed recorder loses seconds and not the day. */
import { closeSync, openSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { ArgumentError, LabError } from "../errors";
import { compressTrace, saveTrace } from "./file";
import { Trace } from "./trace";
import type { Column, Track } from "./track";

/** Each piece repeats what is known of the recording, some 700 bytes: after so many of them the file is written anew as one. */
const mostPieces = 1000;

export class RecordingFile {
  /** of each track the rows that are in the file, and the time of the last of them */
  #written: Record<string, { rows: number; last: number }> = {};
  #events = 0;
  #end = 0;
  #pieces = 0;
  #writing: Promise<void> | undefined;
  #failure: LabError | undefined;

  /** Makes the file, empty as yet. @throws ArgumentError there is one already, or none can be made there */
  constructor(readonly path: string) {
    try {
      closeSync(openSync(path, "wx"));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EEXIST")
        throw new ArgumentError(`${path} exists already.`, "Choose another name, or move it away.");
      throw new ArgumentError(
        `${path} cannot be written: ${(cause as Error).message}.`,
        "Choose a folder that exists and that you may write to.",
      );
    }
  }

  /**
   * Takes what has come since the last call into the file, in the background; does nothing while that of the call before is under way.
   * @param recording the whole of it so far
   * @throws LabError the file could not be written before
   */
  grow(recording: Trace): void {
    if (this.#failure) throw this.#failure;
    if (this.#writing) return;
    this.#writing = this.#write(recording)
      .catch((cause: Error) => void (this.#failure = failed(this.path, cause)))
      .finally(() => (this.#writing = undefined));
  }

  /** The end: the whole recording in one piece. Resolves to the file's size in bytes. @throws LabError; what grow() has written stays */
  async finish(recording: Trace): Promise<number> {
    await this.#writing;
    if (this.#failure) throw this.#failure;
    try {
      await this.#write(recording); // should there be no room for a second copy, the first is complete
    } catch (cause) {
      throw failed(this.path, cause as Error);
    }
    return saveTrace(recording, this.path);
  }

  async #write(recording: Trace): Promise<void> {
    const whole = unfinished(recording);
    const anew = this.#pieces === 0 || this.#pieces >= mostPieces || this.#thinned(recording);
    if (anew) await saveTrace(whole, this.path);
    else await appendFile(this.path, await compressTrace(this.#since(whole)));
    this.#pieces = anew ? 1 : this.#pieces + 1;
    this.#written = Object.fromEntries(
      Object.entries(recording.tracks).map(([name, { time }]) => [
        name,
        { rows: time.length, last: time[time.length - 1] },
      ]),
    );
    this.#events = recording.events.length;
    this.#end = recording.end;
  }

  /** Rows that are in the file are no longer there: then another one, or none, stands where the last of them stood. */
  #thinned({ tracks }: Trace): boolean {
    return Object.entries(this.#written).some(
      ([name, { rows, last }]) => rows > 0 && tracks[name].time[rows - 1] !== last,
    );
  }

  #since(recording: Trace): Trace {
    const tracks = Object.entries(recording.tracks).map(([name, track]): [string, Track] => [
      name,
      rowsFrom(track, this.#written[name]?.rows ?? 0),
    ]);
    return new Trace({
      meta: recording.meta,
      tracks: Object.fromEntries(tracks),
      events: recording.events.slice(this.#events),
      start: this.#end,
      end: recording.end,
    });
  }
}

function unfinished({ meta, tracks, events, start, end }: Trace): Trace {
  return new Trace({ meta: { ...meta, unfinished: true }, tracks, events, start, end });
}

function rowsFrom({ time, columns }: Track, row: number): Track {
  const rest = <T extends Column>(column: T) => column.subarray(row) as T;
  return {
    time: rest(time),
    columns: Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, rest(column)])),
  };
}

function failed(path: string, cause: Error): LabError {
  const { code = "ERR_TRACE" } = cause as NodeJS.ErrnoException;
  return new LabError(`The recording could not be written to ${path}: ${cause.message}.`, {
    code,
    cause,
    hint: "What was written until then is in the file.",
  });
}
