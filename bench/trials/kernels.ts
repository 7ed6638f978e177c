import { here, placesOf } from "../../dist/museum/place";
import { boot } from "../../dist/museum/boot";
import { installed } from "../../dist/museum/kernel";
import { onKernels } from "../../dist/index";
import type * as NativeRoom from "../../dist/native";
import { median, row, skippedRow, type Row, type Trial } from "../trial";

const readings = 20_000;
const rounds = 3;

/** Boot time of each installed kernel, and one reading of the accept queue inside against outside. */
export const kernels: Trial = {
  name: "kernels",
  question: "how long does another kernel take to boot, and how much slower is one look at the accept queue on it?",
  async run(progress) {
    const names = installed().map(({ name }) => name);
    if (names.length === 0)
      return {
        rows: [skippedRow("boot", "s", "no kernel is installed: npx one-listener kernels get")],
        ratios: [],
        notes: [],
      };
    const rows: Row[] = [];
    for (const { kernel, label } of placesOf(names)) {
      if (kernel === undefined) continue;
      const booted: number[] = [];
      const whole: number[] = [];
      for (let round = 0; round < rounds; round++) {
        progress(`${label}, boot ${round + 1} of ${rounds}`);
        const end = await boot(kernel, ["true"], { memory: 2 ** 30 });
        booted.push(end.bootTime / 1000);
        whole.push(end.duration / 1000);
      }
      rows.push(row(`${label}: until the command begins`, "s", booted));
      rows.push(row(`${label}: boot, true, power off`, "s", whole));
    }
    progress("reading the accept queue on each");
    const looks = await onKernels(
      [...names, here],
      async (lab, { given }) => {
        const { native } = require("one-listener/native") as typeof NativeRoom;
        const listener = await lab.listen({ port: 8080, backlog: 5 });
        const read = native.acceptQueueReader(listener.fd);
        const samples: number[] = [];
        for (let round = 0; round < 5; round++) {
          const start = native.now();
          for (let at = 0; at < given.readings; at++) read();
          samples.push(((native.now() - start) * 1000) / given.readings);
        }
        return samples;
      },
      { given: { readings }, lab: { wire: false } },
    );
    for (const { version, value, error } of looks) {
      const name = `Linux ${version}: one look at the accept queue`;
      rows.push(value ? row(name, "µs", value) : skippedRow(name, "µs", error?.message ?? ""));
    }
    const outside = median(looks.at(-1)?.value ?? []);
    const notes = looks.slice(0, -1).map(({ version, value }) => {
      return `a look on Linux ${version} takes ${(median(value ?? []) / outside).toFixed(0)} times as long as here`;
    });
    return { rows, ratios: [], notes };
  },
};
