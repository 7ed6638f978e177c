// node setup/record-traits.mjs: measures what tells five Linux kernels apart, several times on each, and writes it down for the exercise
// which-kernel: exercises/which-kernel/measured.ts. Needs the museum's four kernels, and a machine that runs Linux 6.18 for the fifth.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { release } from "node:os";
import { format, resolveConfig } from "prettier";
import { at, command, Missing } from "./project.mjs";

const series = ["5.10", "6.1", "6.12", "6.18", "7.2"];
/** runs on each kernel; each has a backlog of its own */
const runs = 6;

/** Runs on each kernel: it knows the library's names only. */
const experiment = async (lab, { given: backlogs, library: { kernelTraits, sleep, synRetransmissions } }) => {
  const capped = { "net.ipv4.tcp_syn_linear_timeouts": 0, "net.ipv4.tcp_rto_max_ms": 1000 };
  const measured = [];
  for (const backlog of backlogs) measured.push(await kernelTraits(backlog));
  // together, since each of them waits for eight seconds; not at the same moment, since a timer's delay would be the same for all
  return Promise.all(
    measured.map(async (traits, run) => {
      await sleep(170 * run);
      const [retransmissions, withCap] = await Promise.all([
        synRetransmissions(8000),
        synRetransmissions(4000, capped),
      ]);
      return { ...traits, retransmissions, capped: withCap };
    }),
  );
};

const head = `import type { KernelTraits } from "one-listener";

/** What was measured on one kernel; see kernelTraits() and synRetransmissions(). */
export interface Run extends KernelTraits {
  /** ms from connect() to each retransmission of a SYN that nothing answers, over 8 s */
  retransmissions: number[];
  /** the same over 4 s, with tcp_syn_linear_timeouts = 0 and tcp_rto_max_ms = 1000; null: the kernel does not have these settings */
  capped: number[] | null;
}

/** Five kernels, and what was measured on each. Written by \`node setup/record-traits.mjs\`. */
export const measured: readonly { kernel: string; version: string; runs: readonly Run[] }[] = `;

command(async () => {
  const { onKernels } = createRequire(import.meta.url)(at("dist", "index.js"));
  const random = (least, most) => least + Math.floor(Math.random() * (most - least + 1));
  const results = await onKernels(
    series.map((each) => (release().startsWith(`${each}.`) ? "here" : each)),
    experiment,
    { given: Array.from({ length: runs }, () => random(3, 60)), timeout: 300_000 },
  );
  const failed = results.find(({ error }) => error !== undefined);
  if (failed) throw new Missing(`Linux ${failed.version || failed.kernel}: ${failed.error.message}`, failed.error.hint);
  const rounded = (run) => ({
    ...run,
    looks: run.looks.map((each) => ({ ...each, time: Number(each.time.toFixed(1)) })),
  });
  const data = results.map(({ version, value }, index) => ({
    kernel: series[index],
    version: version.replace(/-.*/, ""),
    runs: value.map(rounded),
  }));
  const file = at("exercises", "which-kernel", "measured.ts");
  const options = { ...(await resolveConfig(file)), parser: "typescript" };
  writeFileSync(file, await format(`${head}${JSON.stringify(data)};`, options));
  return 0;
});
