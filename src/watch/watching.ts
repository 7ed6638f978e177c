/** Watches the listeners that a target names, until stop(): their queues, their drops, and what becomes of them. */
import { ArgumentError } from "../errors";
import { native } from "../native";
import type { Trace } from "../trace/trace";
import { Holders } from "./holders";
import { byPlace, type Listening, readListening } from "./listeners";
import { AcceptedCount, type NamespaceCounts, type NamespaceLook, readCounts } from "./namespace";
import { WatchedPlace } from "./place";
import { type Look, type NamespaceReport, rateFields, type Report, type WatchEvent } from "./report";
import { matches, notFound, type Target } from "./target";
import { WatchedRecording } from "./watched-recording";

/** What to watch, and how. */
export interface WatchOptions {
  target: Target;
  /** samples per second, 1 to 1000 */
  hz: number;
  /** file of the Trace to record: made at once, and appended to every two seconds; default: none */
  record?: string;
  /** begin before a socket listens. Default: false */
  wait?: boolean;
  /** go on when the listener is closed, until it comes back. Default: false */
  follow?: boolean;
}

/** Samples the listeners of a target until stop(). */
export class Watching {
  /** the sentence that says that no watched listener is left; undefined while the watch can go on */
  ended: string | undefined;
  private readonly diagFd = native.diagSocket();
  private readonly began = native.now();
  private readonly recording: WatchedRecording | undefined;
  private readonly accepted: AcceptedCount;
  private readonly holders = new Holders();
  private readonly places = new Map<string, WatchedPlace>();
  /** places whose listener was closed, without `follow` */
  private readonly over: WatchedPlace[] = [];
  private readonly countsBefore: NamespaceCounts;
  private newest: NamespaceLook;
  private events: WatchEvent[] = [];
  private last: { time: number; cpu: number; counts: NamespaceCounts };
  private stopped = false;

  /**
   * @throws ArgumentError no socket listens there; a recording is wanted of several addresses; the file of the
   * recording exists already or cannot be made
   */
  constructor(private readonly options: WatchOptions) {
    try {
      const listening = readListening(this.diagFd);
      this.requireFound(listening);
      if (options.record !== undefined) this.recording = new WatchedRecording(options.record, options.hz);
      this.accepted = new AcceptedCount(this.diagFd);
      this.newest = { listening, counts: readCounts() };
      this.countsBefore = this.newest.counts;
      this.find(listening, true);
    } catch (error) {
      for (const place of this.places.values()) void place.close();
      this.recording?.release(true);
      native.close(this.diagFd);
      throw error;
    }
    if (this.places.size === 0)
      this.note({
        event: "waiting",
        listener: options.target.text,
        detail: `No socket listens on ${options.target.text} yet.`,
      });
    this.last = { time: this.began, cpu: cpuTime(), counts: this.countsBefore };
  }

  /** ms since the watch began */
  get elapsed(): number {
    return native.now() - this.began;
  }

  /** Whether a listener was ever found. */
  get found(): boolean {
    return this.places.size + this.over.length > 0;
  }

  /** of each address and port that was watched: the longest accept queue and the drops since the watch began */
  get totals(): { listener: string; peak: number; drops: number }[] {
    return this.everyPlace.map(({ where, peaks, drops }) => ({ listener: where, peak: peaks.acceptQueueEver, drops }));
  }

  /** Increases since the watch began, of the whole network namespace. */
  get increases(): Omit<NamespaceCounts, "handshakes"> {
    return {
      overflows: this.newest.counts.overflows - this.countsBefore.overflows,
      drops: this.newest.counts.drops - this.countsBefore.drops,
      cookies: this.newest.counts.cookies - this.countsBefore.cookies,
    };
  }

  /** ms of CPU of the sampling threads */
  get threadCpu(): number {
    return this.everyPlace.reduce((sum, { cpu }) => sum + cpu, 0);
  }

  /**
   * Takes in what was sampled since the last call; to be called several times per second.
   * @throws LabError a thread has ended, or the recording cannot be written
   */
  look(): Look {
    this.newest = this.accepted.look();
    let full = 0;
    let fullest = "";
    for (const place of this.places.values()) {
      const seen = place.drain();
      if (this.recording?.where === place.where) this.recording.append(seen.rows);
      if (seen.full > full) [full, fullest] = [seen.full, place.where];
    }
    this.find(this.newest.listening, false);
    const drops = this.everyPlace.reduce((sum, place) => sum + place.drops, 0);
    return { full, fullest, drops, overflows: this.increases.overflows };
  }

  /** What has happened since the last call. */
  takeEvents(): WatchEvent[] {
    return this.events.splice(0);
  }

  /** Notes in the recording that something happened. */
  mark(name: string, detail: string): void {
    this.recording?.mark(name, detail);
  }

  /** The interval since the last report, of each address and port. Call look() before. */
  report(): Report[] {
    const { accepted, last, newest } = this;
    const now = native.now();
    const cpu = cpuTime();
    const seconds = (now - last.time) / 1000;
    const time = (now - this.began) / 1000;
    const heldBy = this.holders.of(newest.listening.filter((each) => matches(this.options.target, each)));
    const shared = {
      namespace: this.namespaceReport(seconds),
      cost: (cpu - last.cpu) / (now - last.time),
    };
    const reports = [...this.places.values()].map((place): Report => ({
      time,
      ...place.report(heldBy, time),
      ...rateFields(place.listening ? accepted.ofPlace(place.where, seconds) : { unknown: "no socket listens there" }),
      ...shared,
    }));
    this.last = { time: now, cpu, counts: newest.counts };
    accepted.startInterval();
    return reports;
  }

  /**
   * Ends the threads and the recording.
   * @returns the recording and the bytes of its file; undefined if none was wanted or no socket listened, or at the
   * second call
   * @throws LabError the file cannot be written
   */
  async stop(): Promise<{ trace: Trace; bytes: number } | undefined> {
    if (this.stopped) return undefined;
    this.stopped = true;
    for (const place of this.everyPlace) {
      const rows = await place.close();
      if (rows && this.recording?.where === place.where) this.recording.append(rows);
    }
    native.close(this.diagFd);
    return this.recording?.finish();
  }

  private get everyPlace(): WatchedPlace[] {
    return [...this.over, ...this.places.values()];
  }

  private namespaceReport(seconds: number): NamespaceReport {
    const { last, newest, increases, accepted } = this;
    const rise = (name: keyof NamespaceCounts) => newest.counts[name] - last.counts[name];
    return {
      listening: byPlace(newest.listening).size,
      handshakeRate: rise("handshakes") / seconds,
      acceptRate: rateFields(accepted.ofNamespace(seconds)).acceptRate,
      overflows: rise("overflows"),
      drops: rise("drops"),
      cookies: rise("cookies"),
      overflowsEver: increases.overflows,
      dropsEver: increases.drops,
      cookiesEver: increases.cookies,
    };
  }

  /**
   * Compares the listeners with those that are watched: new ones are watched, too, and what happened to the others is
   * noted.
   */
  private find(listening: readonly Listening[], atStart: boolean): void {
    const found = byPlace(listening.filter((each) => matches(this.options.target, each)));
    for (const place of [...this.places.values()]) {
      const change = place.take(found.get(place.where) ?? [], this.elapsed / 1000);
      if (change === undefined) continue;
      this.note({ ...change, listener: place.where });
      if (change.event === "closed" && !this.options.follow) this.end(place, change.detail);
    }
    for (const [where, [first, ...more]] of found) {
      if (!first || this.places.has(where) || this.over.some((place) => place.where === where)) continue;
      this.add(where, [first, ...more], atStart);
    }
  }

  private add(where: string, found: [Listening, ...Listening[]], atStart: boolean): void {
    // the first one found
    const recording = this.recording?.where === undefined ? this.recording : undefined;
    const place = new WatchedPlace(where, found, {
      hz: this.options.hz,
      known: atStart,
      counters: recording?.counters,
    });
    this.places.set(where, place);
    this.ended = undefined;
    recording?.begin(where, found[0], place.startedAt);
    if (!atStart) this.note({ event: "listening", listener: where, detail: `A socket listens on ${where} now.` });
  }

  private end(place: WatchedPlace, detail: string): void {
    this.places.delete(place.where);
    this.over.push(place);
    if (this.recording?.where !== place.where) void place.close();
    if (this.places.size === 0) this.ended = detail;
  }

  private note(event: Omit<WatchEvent, "time">): void {
    this.events.push({ time: this.elapsed / 1000, ...event });
    if (event.listener === this.recording?.where) this.recording.mark(event.event, event.detail);
  }

  private requireFound(listening: readonly Listening[]): void {
    const { target, wait, record } = this.options;
    const found = [...byPlace(listening.filter((each) => matches(target, each))).keys()];
    if (found.length === 0 && !wait) {
      const { message, hint } = notFound(target, listening);
      throw new ArgumentError(message, hint);
    }
    if (found.length > 1 && record !== undefined)
      throw new ArgumentError(
        `A recording is of one address and port, and on ${target.text} sockets listen at ${found.length}: ${found.join(", ")}.`,
        `Name one, for example: npx one-listener watch ${found[0]} --record ${record}`,
      );
  }
}

/** ms of CPU that this process and its threads have used */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
