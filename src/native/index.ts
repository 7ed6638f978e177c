/**
 * The native addon: this file alone loads it; its neighbours have the type of every call of it.
 *
 * A call makes one system call or starts one thread. It takes and returns plain numbers, buffers and file
 * descriptors. Failures throw a Node-style system error (`code: "EMFILE"`, `errno`, `syscall`); wrong
 * argument types throw a TypeError, numbers out of range a RangeError. Policy lives in the layers above.
 *
 * Times are milliseconds on CLOCK_MONOTONIC, the clock of `performance.timeOrigin`-free `process.hrtime()`:
 * `now()` reads it. Addresses are dotted IPv4 strings, ports host-order integers.
 */
import path from "node:path";
import type { NativeAddon } from "./addon";

export * from "./acceptor";
export * from "./addon";
export * from "./clients";
export * from "./link";
export * from "./sampler";
export * from "./sockets";

const builtDirectory = path.join(__dirname, "..", "..", "native", "build", "Release");

/** The lab host program, built beside the addon. */
export const hostProgram = path.join(builtDirectory, "lab-host");

/** A process that only accepts and holds, built beside the addon; see native/worker. */
export const acceptWorkerProgram = path.join(builtDirectory, "accept-worker");

/** Runs a user-mode kernel and lets nothing of it outlive us; see native/museum/boot.cc. */
export const kernelBootProgram = path.join(builtDirectory, "kernel-boot");

/** The first process inside a user-mode kernel; see native/museum/init.cc. */
export const kernelInitProgram = path.join(builtDirectory, "kernel-init");

function load(): NativeAddon {
  if (process.platform !== "linux") {
    throw new Error(
      `One Listener measures the Linux kernel and runs only on Linux; this system is ${process.platform}. Use a Linux virtual machine or container.`,
    );
  }
  try {
    return require(path.join(builtDirectory, "one_listener.node")) as NativeAddon;
  } catch (cause) {
    throw new Error("The native addon is not built for this Node.js. Run: npm run build", { cause });
  }
}

/**
 * The addon, loaded.
 * @throws Error when this module is loaded on another system than Linux, or before `npm run build`
 */
export const native: NativeAddon = load();
