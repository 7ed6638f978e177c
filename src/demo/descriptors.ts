import { continuingServer, SpinResult } from "../claims/descriptor-spin";
import { inLab } from "../claims/experiment";
import { native } from "../native";
import { count } from "../watch/screen";
import type { Demo } from "./demo";

const clients = 200;
const limit = 64;

export const descriptors: Demo = {
  name: "descriptors",
  title: "Out of descriptors",
  sentence: `${clients} clients come to a process that may have ${limit} descriptors, and that tries again after every error.`,
  seconds: 3,
  run: (stage) => inLab({ wire: false }, async (lab) => {
    stage.act(`ulimit -n ${limit}, and ${clients} clients`);
    const program = await lab.spawn("python3", ["-c", continuingServer], { limits: { nofile: limit } });
    let printed = "";
    program.stdout.on("data", (data) => (printed += String(data)));
    let ended = false;
    void program.exited.then(() => (ended = true));
    await stage.follow(() => [{ name: "accepted", value: 0, of: limit, colour: "blue" }], 5000, () => printed.includes("listening") || ended, "");
    const crowd = await lab.connect(8080, { clients, quiet: 20 });
    const begin = native.now();
    const row = () => lab.sockets({ port: 8080, states: ["LISTEN"] })[0];
    const levels = () => {
      const accepted = lab.sockets({ port: 8080, states: ["ESTABLISHED"] }).filter(({ inode }) => inode > 0).length;
      return [
        { name: "accepted, with a descriptor", value: accepted, of: clients, colour: "green" as const, limit: true },
        { name: "in the accept queue", value: row()?.receiveQueue ?? 0, of: clients, colour: "blue" as const },
      ];
    };
    let last = levels();
    await stage.follow(() => (row() ? (last = levels()) : last), 3000, () => ended, "accept() → EMFILE, and again, and again …");
    await program.exited;
    await crowd.close();
    const { accepted, wakeups, cpu, seconds } = JSON.parse(printed.slice(printed.indexOf("{"))) as SpinResult;
    return {
      numbers: { clients, limit, accepted, waiting: last[1].value, wakeupsPerSecond: wakeups / seconds, cpu, ms: native.now() - begin },
      told: [
        `The process accepted ${count(accepted)} of ${clients} clients; then accept() failed with EMFILE. The others stayed in the queue: nobody was refused, nobody was told.`,
        `Its loop went on after every error: ${count(wakeups / seconds)} turns a second, ${Math.round(100 * cpu)} % of a core, for nothing.`,
      ],
      kernel: "__sys_accept4(), get_unused_fd_flags()",
      notebook: "06 · Out of descriptors",
    };
  }),
};
