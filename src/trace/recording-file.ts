/** The file of a recording that runs for hours: it grows during the recording, so that a killed process loses seconds and not the day. */
import { closeSync, openSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { ArgumentError, LabError } from "../errors";
import { compressTrace, saveTrace } from "./file";
import { Trace } from "./trace";
import type { Column, Track } from "./track";

/** Each piece repeats the meta of the recording, some 700 bytes: after this many pieces the file is written again as one. */
const mostPieces = 1000;

/** The growing file of one recording; Trace.load() reads it at any time. */
export class RecordingFile {
  /** by the name of the track: the rows that are in the file, and the time of the last of them (undefined: none) */
  #written = new Map<string, { rows: number; last: number | undefined }>();
  #events = 0;
  #end = 0;
  #pieces = 0;
  #writing: Promise<void> | undefined;
  #failure: LabError | undefined;

  /** Makes an empty file. @throws ArgumentError the file exists, or cannot be made */
  constructor(readonly path: string) {
    try {
      closeSync(openSync(path, "wx"));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EEXIST")
        throw new ArgumentError(`${path} exists already.`, "Choose another name, or move the file.");
      throw new ArgumentError(
        `${path} cannot be written: ${(cause as Error).message}.`,
        "Choose a folder that exists and in which you may write.",
      );
    }
  }

  /**
   * Writes the rows and events since the last call, in the background. It does nothing while an earlier call still writes.
   * @param recording the whole recording so far
   * @throws LabError an earlier call could not write the file
   */
  grow(recording: Trace): void {
    if (this.#failure) throw this.#failure;
    if (this.#writing) return;
    this.#writing = this.#write(recording)
      .catch((cause: unknown) => void (this.#failure = failed(this.path, cause)))
      .finally(() => (this.#writing = undefined));
  }

  /** Writes the whole recording in one piece: the end. @returns the file's size, bytes @throws LabError; the file then has what grow() has written */
  async finish(recording: Trace): Promise<number> {
    await this.#writing;
    if (this.#failure) throw this.#failure;
    try {
      await this.#write(recording); // complete, even if the disk has no space for the second copy below
    } catch (cause) {
      throw failed(this.path, cause);
    }
    return saveTrace(recording, this.path);
  }

  async #write(recording: Trace): Promise<void> {
    const whole = unfinished(recording);
    const anew = this.#pieces === 0 || this.#pieces >= mostPieces || this.#thinned(recording);
    if (anew) await saveTrace(whole, this.path);
    else await appendFile(this.path, await compressTrace(this.#since(whole)));
    this.#pieces = anew ? 1 : this.#pieces + 1;
    this.#written = new Map(
      Object.entries(recording.tracks).map(([name, { time }]) => [name, { rows: time.length, last: time.at(-1) }]),
    );
    this.#events = recording.events.length;
    this.#end = recording.end;
  }

  /** The recording no longer has rows that are in the file: then another row, or none, has the index of the last of them. */
  #thinned({ tracks }: Trace): boolean {
    return [...this.#written].some(([name, { rows, last }]) => rows > 0 && tracks[name]?.time[rows - 1] !== last);
  }

  #since(recording: Trace): Trace {
    const tracks = Object.entries(recording.tracks).map(([name, track]): [string, Track] => [
      name,
      rowsFrom(track, this.#written.get(name)?.rows ?? 0),
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

function failed(path: string, cause: unknown): LabError {
  const { code = "ERR_TRACE", message } = cause as NodeJS.ErrnoException;
  return new LabError(`The recording could not be written to ${path}: ${message}.`, {
    code,
    cause,
    hint: "The file has what was written before.",
  });
}
