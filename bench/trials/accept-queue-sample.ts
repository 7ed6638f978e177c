import { execFileSync } from "node:child_process";
import { Lab } from "../../dist/index";
import { native } from "../../dist/native";
import { buildPeer } from "../peer";
import { atMost, row, sideBySide, skippedRow, type Trial, medianAt } from "../trial";

const readings = 200_000;

/** ns for one reading of the accept queue: our addon, a C loop with getsockopt(TCP_INFO), and ss. */
export const acceptQueueSample: Trial = {
  name: "accept-queue-sample",
  question: "how long does one reading of the accept queue take?",
  async run() {
    const peer = buildPeer("getsockopt-loop.c");
    const lab = await Lab.open({ wire: false });
    try {
      const listener = await lab.listen({ backlog: 128 });
      const read = native.acceptQueueReader(listener.fd);
      const ours = () => {
        const start = native.now();
        let sum = 0;
        for (let i = 0; i < readings; i++) sum += read();
        return ((native.now() - start) * 1e6 + sum * 0) / readings;
      };
      const getter = () => {
        const start = native.now();
        let sum = 0;
        for (let i = 0; i < readings; i++) sum += listener.acceptQueue;
        return ((native.now() - start) * 1e6 + sum * 0) / readings;
      };
      const ss = async () => {
        const start = native.now();
        await (await lab.spawn("ss", ["-Hltn"])).output();
        return (native.now() - start) * 1e6;
      };
      ours();
      const samples = await sideBySide(9, {
        ours,
        getter,
        ...("program" in peer && {
          c: () =>
            Number(
              execFileSync(peer.program, [String(readings)])
                .toString()
                .split(" ")[0],
            ),
        }),
        ss,
      });
      const rows = [
        row("native.acceptQueueReader(fd)()", "ns", samples.ours),
        row("listener.acceptQueue", "ns", samples.getter),
      ];
      rows.push(
        "c" in samples
          ? row("C getsockopt(TCP_INFO) loop", "ns", samples.c)
          : skippedRow("C getsockopt(TCP_INFO) loop", "ns", "missing" in peer ? peer.missing : ""),
      );
      rows.push(row("spawning ss -Hltn", "ns", samples.ss));
      return {
        rows,
        ratios: [
          atMost("ours / C", medianAt(rows, 0) / medianAt(rows, 2), 1.2),
          atMost("ours / ss", medianAt(rows, 0) / medianAt(rows, 3), 0.01),
        ],
        notes: [],
      };
    } finally {
      await lab.close();
    }
  },
};
