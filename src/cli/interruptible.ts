/** Aborted by the first Ctrl-C, SIGTERM or SIGHUP; the second one ends this process at once. */
export function interruptible(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => {
      controller.abort();
    });
  return controller.signal;
}
