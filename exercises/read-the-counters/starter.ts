export function readTheCounters({ counters }: { counters: Record<string, number> }): string {
  return "healthy";
}
