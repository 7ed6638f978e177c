/**
 * When clients connect: schedules for connect(). They are open-loop: no client waits for the answer to another one, so
 * a slow server does not slow down its own clients, which would make its latencies look good (coordinated omission).
 * Each schedule has one element for each client: ms from the start, ascending.
 */
import { ArgumentError, requireInteger, requireNumber } from "../errors";

const mostClients = 10_000_000;
const rateName = "rate (clients per second)";

/** `count` clients at even intervals. @param rate clients per second @throws ArgumentError */
export function constant(count: number, rate: number): Float64Array {
  const gap = 1000 / requireNumber(rate, rateName, 0.001, 1e7);
  return Float64Array.from({ length: requireInteger(count, "count", 1, mostClients) }, (_, at) => at * gap);
}

/**
 * Independent clients (a Poisson process): the intervals are exponentially distributed, with the mean 1 / rate.
 * @param rate clients per second
 * @param random numbers from 0 up to but not including 1; default Math.random
 * @throws ArgumentError
 */
export function poisson(count: number, rate: number, random: () => number = Math.random): Float64Array {
  const gap = 1000 / requireNumber(rate, rateName, 0.001, 1e7);
  let time = 0;
  return Float64Array.from(
    { length: requireInteger(count, "count", 1, mostClients) },
    () => (time += -Math.log(1 - random()) * gap),
  );
}

/**
 * `count` clients at one moment, or evenly spaced within a span.
 * @param at ms
 * @param within ms
 * @throws ArgumentError
 */
export function spike(count: number, at = 0, within = 0): Float64Array {
  requireNumber(at, "at (ms)", 0, 1e9);
  requireNumber(within, "within (ms)", 0, 1e9);
  return Float64Array.from(
    { length: requireInteger(count, "count", 1, mostClients) },
    (_, index) => at + (within * index) / count,
  );
}

/** Several schedules as one. @throws ArgumentError there is none */
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
