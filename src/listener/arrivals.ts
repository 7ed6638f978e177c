/**
 * When clients come: schedules for connect(). Open loop: nobody waits for anybody else's answer, so a slow server cannot slow its own
 * clients down and hide behind it (coordinated omission). All in ms from the start, ascending.
 */
import { ArgumentError, requireInteger, requireNumber } from "../errors";

const mostClients = 10_000_000;

/** `count` clients at even distances. @param rate a second */
export function constant(count: number, rate: number): Float64Array {
  const gap = 1000 / requireNumber(rate, "rate (clients a second)", 0.001, 1e7);
  return Float64Array.from({ length: requireInteger(count, "count", 1, mostClients) }, (_, at) => at * gap);
}

/** Independent clients: exponential distances with the mean 1 / rate. @param random numbers from 0 up to 1; default Math.random */
export function poisson(count: number, rate: number, random: () => number = Math.random): Float64Array {
  const gap = 1000 / requireNumber(rate, "rate (clients a second)", 0.001, 1e7);
  let time = 0;
  return Float64Array.from(
    { length: requireInteger(count, "count", 1, mostClients) },
    () => (time += -Math.log(1 - random()) * gap),
  );
}

/** `count` clients at one moment, or evenly within a span. @param at ms @param within ms */
export function spike(count: number, at = 0, within = 0): Float64Array {
  requireNumber(at, "at (ms)", 0, 1e9);
  requireNumber(within, "within (ms)", 0, 1e9);
  return Float64Array.from(
    { length: requireInteger(count, "count", 1, mostClients) },
    (_, index) => at + (within * index) / count,
  );
}

/** Several schedules at once. */
export function together(...schedules: readonly Float64Array[]): Float64Array {
  if (schedules.length === 0)
    throw new ArgumentError("together() takes schedules.", "Like together(constant(100, 50), spike(500, 1000)).");
  const all = new Float64Array(schedules.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const schedule of schedules) {
    all.set(schedule, at);
    at += schedule.length;
  }
  return all.sort();
}
