import path from "node:path";
import vm from "node:vm";
import { Worker } from "node:worker_threads";
import type { WatcherData } from "./watcher";

/** The second thread, as the first one uses it. */
export interface Watch {
  /** true while the compiler works: stopping it there would break it for good */
  compiling(now: boolean): void;
}

/** Starts the second thread (watcher.ts). */
export function watch(): Watch {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const workerData: WatcherData = { shared, parent: Number(process.env.JPY_PARENT_PID) || 0 };
  const worker = new Worker(path.join(__dirname, "watcher.js"), {
    workerData,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  });
  let hears = true;
  worker.on("message", (message: "there?" | "deaf") => {
    if (message === "there?") Atomics.add(shared, 0, 1);
    else hears = false;
  });
  worker.on("error", () => (hears = false));
  worker.unref();
  leaveSignalsAlone(() => hears);
  return { compiling: (now) => void Atomics.store(shared, 1, now ? 1 : 0) };
}

/**
 * tslab runs a cell with vm's `breakOnSigint`, which ends only its part before the first await, and around which an
 * interrupt is lost, or ends the kernel, because the signal has no handler for a moment. The watcher needs none of
 * that.
 */
function leaveSignalsAlone(watched: () => boolean): void {
  const original = vm.runInThisContext;
  vm.runInThisContext = (code, options) => {
    const cell = typeof options === "object" && code.endsWith("(__tslab__.exports, __tslab__.require)");
    return original(code, cell && watched() ? { ...options, breakOnSigint: false } : options) as unknown;
  };
}
