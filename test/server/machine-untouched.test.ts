import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { TemporaryFolder } from "../fixtures/temporary-folder";
import { leavesTheMachineAsItWas, left, leftInTheEnd, type Machine, machine, runMarked } from "./machine";

// The other notebooks: machine-untouched.slow-alone.test.ts.
describe("after the first notebook", function () {
  this.timeout(180_000);

  it("00: no process, namespace, open file, file or sysctl of the machine is different", async function () {
    await leavesTheMachineAsItWas(this, "00");
  });

  it("what is different is found: a sysctl, an interface, a mounted namespace, files, open files", () => {
    using folder = new TemporaryFolder("untouched");
    assert.deepEqual(readdirSync(folder.place), []);
    const before = machine();
    assert.ok(
      Object.keys(before.sysctls).length > 300 &&
        "net/core/somaxconn" in before.sysctls &&
        "fs/nr_open" in before.sysctls,
      "all sysctls are looked at",
    );
    const after: Machine = {
      ...before,
      sysctls: { ...before.sysctls, "net/core/somaxconn": "1" },
      interfaces: [...before.interfaces, "wire0"],
      mounted: [...before.mounted, "net:[1]"],
      notebooks: [...before.notebooks, "core"],
      temporary: [...before.temporary, "one-listener-left"],
      unseenFiles: before.unseenFiles + 100,
    };
    assert.deepEqual(left(before, before, folder.place), []);
    const found = left(before, after, folder.place);
    assert.equal(found.length, 6, found.join("\n"));
  });

  it("what is left behind is found: a process with its Lab, a file", async () => {
    using folder = new TemporaryFolder("untouched");
    assert.deepEqual(readdirSync(folder.place), []);
    const before = machine();
    // a program that outlives the one that started it, in a session of its own, holding a Lab and a temporary file
    const holder = `const { Lab } = require("one-listener"); require("fs").writeFileSync(require("path").join(process.env.TMPDIR, "left"), ""); Lab.open({ wire: false }).then(() => { process.send("open"); process.disconnect(); setInterval(() => 0, 1000); });`;
    const starter = `const child = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(holder)}], { detached: true, stdio: ["ignore", "ignore", "ignore", "ipc"] }); child.on("message", () => { require("fs").writeFileSync(require("path").join(process.env.TMPDIR, "pid"), String(child.pid)); process.exit(); });`;
    await runMarked(folder.place, "left", "-e", starter);
    const found = left(before, machine(), folder.place);
    process.kill(Number(folder.read("pid")), "SIGKILL");
    for (const expected of [
      /^the process ".*setInterval/,
      /^the process ".*lab-host/,
      /^the namespace net:\[\d+\]$/,
      /^left in the folder/,
    ]) {
      assert.ok(
        found.some((each) => expected.test(each)),
        `${expected} among\n${found.join("\n")}`,
      );
    }
    rmSync(folder.path("left"));
    rmSync(folder.path("pid"));
    assert.deepEqual(await leftInTheEnd(before, folder.place), [], "and what has ended is not");
  });
});
