import path from "node:path";
import { Worker } from "node:worker_threads";
import type { WatcherData } from "./watcher";

/** Starts the second thread (watcher.ts). */
export function watch(): { compiling(now: boolean): void } {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const workerData: WatcherData = { shared, parent: Number(process.env.JPY_PARENT_PID) || 0 };
  const worker = new Worker(path.join(__dirname, "watcher.js"), { workerData, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 } });
  worker.on("message", () => void Atomics.add(shared, 0, 1));
  worker.on("error", (error) => console.error("The kernel's second thread has ended; interrupting may need a restart:", error));
  worker.unref();
  return { compiling: (now) => void Atomics.store(shared, 1, now ? 1 : 0) };
}
