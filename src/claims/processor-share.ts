/**
 * Whether the machine was busy while an experiment ran. A verdict rests on what the kernel counted; where it must rest on time, other
 * programs on the CPUs may reverse it.
 */
import { readFileSync } from "node:fs";
import os from "node:os";
import { native } from "../native";
import { UndecidedError } from "./claim";
import { amount, optional } from "./evidence";

/** more than this share of the CPU time for other programs, and times say more about them than about the kernel */
const much = 0.25;
/** s: a shorter measurement is a few ticks of the clock by which the kernel counts (USER_HZ, proc(5)) */
const shortest = 0.2;

interface Reading {
  /** ms */
  time: number;
  /** seconds of CPU time that all programs and the host of this machine took */
  taken: number;
  /** of these, seconds that this process took */
  own: number;
}

/** user, nice, system, irq, softirq and steal of /proc/stat, in ticks of 10 ms: all but idle, iowait and what user and nice hold already */
const busyColumns = [0, 1, 2, 5, 6, 7];

function read(): Reading {
  const columns = /^cpu\s+(.*)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]?.split(" ").map(Number) ?? [];
  const { user, system } = process.cpuUsage();
  return {
    time: native.now(),
    taken: busyColumns.reduce((sum, at) => sum + (columns[at] ?? 0), 0) / 100,
    own: (user + system) / 1e6,
  };
}

/**
 * Begins to watch the CPUs.
 * @returns a function that gives the share of the CPU time that other programs took since then, 0 to 1; undefined where the time
 * was too short to say. Source: /proc/stat, getrusage(2)
 */
export function watchProcessors(): () => number | undefined {
  const before = read();
  return () => {
    const after = read();
    const seconds = (after.time - before.time) / 1000;
    if (seconds < shortest) return undefined;
    const others = after.taken - before.taken - (after.own - before.own);
    return Math.min(1, Math.max(0, others / (seconds * os.cpus().length)));
  };
}

/** A field of the evidence: the share of the CPU time that other programs took, as watchProcessors() gives it. */
export const othersField = optional(amount("share of the CPU time that other programs took meanwhile, 0 to 1"));

/** Whether other programs took so much of the CPU time that a time measured meanwhile says little. Unknown: no. */
export function isBusy(others: number | undefined): others is number {
  return others !== undefined && others > much;
}

/** "other programs took 83 % of the CPU time" */
export function othersWords(others: number): string {
  return `other programs took ${(100 * others).toFixed(0)} % of the CPU time`;
}

/**
 * For judges, before a verdict that a busy machine can reverse.
 * @throws UndecidedError the machine was busy
 */
export function requireQuietMachine(others: number | undefined, measured: string, kernel: string): void {
  if (isBusy(others))
    throw new UndecidedError(
      `${measured}; ${othersWords(others)}`,
      "The machine is busy, and this verdict rests on times. Measure again when the machine is quiet.",
      kernel,
    );
}
