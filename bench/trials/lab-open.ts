import { Lab } from "../../dist/index";
import { native } from "../../dist/native";
import { row, sideBySide, type Trial } from "../trial";

async function open(wire: boolean): Promise<number> {
  const start = native.now();
  const lab = await Lab.open({ wire });
  const took = native.now() - start;
  await lab.close();
  return took;
}

/** ms to open and close a Lab, without a wire and with one. */
export const labOpen: Trial = {
  name: "lab-open",
  question: "how long does a Lab take to open?",
  async run() {
    await open(true);
    const samples = await sideBySide(25, { without: () => open(false), with: () => open(true) });
    return {
      rows: [row("without wire", "ms", samples.without), row("with wire", "ms", samples.with)],
      ratios: [],
      notes: [],
    };
  },
};
