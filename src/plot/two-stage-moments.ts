import { rowAt, type Series, type Trace } from "../trace";
import { greatest } from "./step-line";

/** Where everybody is at one instant, in connections. */
export interface Moment {
  /** ms */
  readonly time: number;
  readonly synQueue: number;
  readonly acceptQueue: number;
  /** taken by accept() so far; a lower bound where the application called accept() itself between two samples */
  readonly accepted: number;
  /** clients that believe they are connected while the server has no trace of them */
  readonly phantoms: number;
  /** clients whose SYN has no answer yet */
  readonly unanswered: number;
  /** clients that were refused, reset, timed out or failed */
  readonly failed: number;
  readonly dropped: number;
  readonly cookies: number;
}

/** Share of the film that goes by the clock; the rest goes by what happens, so that a burst of two milliseconds is seen too. */
const clockShare = 0.25;

/** At most about `count` instants of a recording: its start, its end, its events, and between them more where more changes. */
export function chooseTimes(trace: Trace, count: number): number[] {
  const { queues, clients } = trace.tracks;
  const steps = [queues, clients].filter((track) => track !== undefined).flatMap(({ time, columns }) => {
    const moving = Object.values(columns).map((values) => ({ values, range: span(values) })).filter(({ range }) => range > 0);
    const changes: { time: number; change: number }[] = [];
    for (let row = 1; row < time.length; row++) {
      let change = 0;
      for (const { values, range } of moving) change += Math.abs(values[row] - values[row - 1]) / range;
      if (change > 0) changes.push({ time: time[row], change });
    }
    return changes;
  });
  steps.sort((a, b) => a.time - b.time);
  const total = steps.reduce((sum, { change }) => sum + change, 0) || 1;
  const clock = clockShare / (trace.duration || 1);
  const times = new Set<number>([trace.start, trace.end, ...trace.events.filter(({ time }) => time >= trace.start && time <= trace.end).slice(0, count / 4).map(({ time }) => time)]);
  let progress = 0;
  let at = trace.start;
  let next = 1;
  const room = Math.max(2, count - times.size);
  const advance = (until: number): void => {
    for (; next < room && progress + (until - at) * clock >= next / room; next++) times.add(at + (next / room - progress) / clock);
    progress += (until - at) * clock;
    at = until;
  };
  for (const { time, change } of steps) {
    advance(time);
    progress += (change / total) * (1 - clockShare);
    if (progress >= next / room) {
      times.add(time);
      next = Math.floor(progress * room) + 1;
    }
  }
  advance(trace.end);
  return [...times].sort((a, b) => a - b);
}

/** What each of the ascending `times` looks like. */
export function momentsAt(trace: Trace, times: readonly number[]): Moment[] {
  const value = (name: string): ((time: number) => number) => {
    const series = trace.findColumn(name);
    return (time) => held(series, time);
  };
  const [synQueue, acceptQueue, counted, drops, cookies] = ["synQueue", "acceptQueue", "accepted", "TcpExt.ListenDrops", "TcpExt.SyncookiesSent"].map(value);
  const [established, left, closed, synSent, ...failures] = ["established", "closedByServer", "closed", "synSent", "refused", "reset", "timedOut", "failed"].map(value);
  const departures = departuresOf(trace.findColumn("acceptQueue"));
  return times.map((time) => {
    const inQueues = { synQueue: synQueue(time), acceptQueue: acceptQueue(time) };
    const accepted = Math.max(counted(time), departures(time));
    const known = inQueues.synQueue + inQueues.acceptQueue + accepted;
    return {
      time,
      ...inQueues,
      accepted,
      phantoms: Math.max(0, established(time) + left(time) + closed(time) - known),
      unanswered: Math.max(0, synSent(time) - inQueues.synQueue),
      failed: failures.reduce((sum, of) => sum + of(time), 0),
      dropped: drops(time),
      cookies: cookies(time),
    };
  });
}

/** Everybody who was ever seen. */
export function population(trace: Trace, moments: readonly Moment[]): number {
  const { clients } = trace.tracks;
  let most = 1;
  for (const { synQueue, acceptQueue, accepted } of moments) most = Math.max(most, synQueue + acceptQueue + accepted);
  for (let row = 0; row < (clients?.time.length ?? 0); row++) most = Math.max(most, Object.values(clients!.columns).reduce((sum, values) => sum + values[row], 0));
  return most;
}

/** What left the accept queue, as far as its length shows it. */
function departuresOf(series: Series | undefined): (time: number) => number {
  if (series === undefined) return () => 0;
  const { time: times, values } = series;
  const left = new Float64Array(values.length);
  for (let row = 1; row < values.length; row++) left[row] = left[row - 1] + Math.max(0, values[row - 1] - values[row]);
  return (time) => left[rowAt(times, time)] ?? 0;
}

function held(series: Series | undefined, time: number): number {
  if (series === undefined) return 0;
  const row = rowAt(series.time, time);
  return row < 0 ? 0 : series.values[row];
}

function span(values: ArrayLike<number>): number {
  let [least, most] = [Infinity, -Infinity];
  for (let row = 0; row < values.length; row++) {
    if (values[row] < least) least = values[row];
    if (values[row] > most) most = values[row];
  }
  return values.length > 0 ? most - least : 0;
}

/** The greatest room that the accept queue had; 0 if it was never read. */
export function roomOf(trace: Trace): number {
  const maximum = trace.findColumn("acceptMax");
  return maximum === undefined || maximum.time.length === 0 ? 0 : greatest(maximum) + 1;
}
