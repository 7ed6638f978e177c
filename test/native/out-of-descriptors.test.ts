import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import path from "node:path";

describe("calls of the addon in a process that has no descriptor left", () => {
  it("name the system call, and leave what they were given to the caller", function () {
    this.timeout(20_000);
    const script = path.join(__dirname, "out-of-descriptors.js");
    const output = execFileSync("sh", ["-c", 'ulimit -n 64; exec "$0" "$1"', process.execPath, script], {
      encoding: "utf8",
    });
    const { found, kept } = JSON.parse(output) as { found: Record<string, string>; kept: string[] };
    assert.deepEqual(found, {
      diagSocket: "EMFILE socket",
      descriptors: "EMFILE opendir",
      startHost: "EMFILE socketpair",
      Sampler: "EMFILE eventfd",
      Acceptor: "EMFILE epoll_create1",
      ClientThread: "EMFILE epoll_create1",
      Mirror: "EMFILE eventfd",
      Ghosts: "EMFILE eventfd",
    });
    assert.deepEqual(kept, ["nothing", "nothing", "nothing"]);
  });
});
