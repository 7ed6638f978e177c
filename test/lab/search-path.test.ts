import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { findProgram, searchPath } from "../../dist/lab/search-path";
import { type Lab } from "../../dist/index";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { skip } from "../fixtures/skip";

/** a program of every Debian and its relatives that is in /usr/sbin alone */
const ofTheSystem = "ldconfig";

describe("where programs are looked for", () => {
  let lab: Lab;
  let folder: string;
  const before = process.env.PATH;
  labOfSuite((opened) => (lab = opened), { wire: false });
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "one-listener-path-"));
  });
  afterEach(() => {
    process.env.PATH = before;
    rmSync(folder, { recursive: true });
  });

  const program = (name: string, mode = 0o755) => {
    const file = path.join(folder, name);
    writeFileSync(file, "#!/bin/sh\necho ours\n");
    chmodSync(file, mode);
    return file;
  };

  it("the system's folders stand behind the PATH's own, each once", () => {
    assert.equal(searchPath("/a:/usr/sbin:/b"), "/a:/usr/sbin:/b:/usr/local/sbin:/sbin");
    assert.equal(searchPath(""), "/usr/local/sbin:/usr/sbin:/sbin");
    assert.equal(searchPath(":/a:"), "/a:/usr/local/sbin:/usr/sbin:/sbin");
  });

  it("what may not be executed, and a folder, is no program; the PATH goes first", () => {
    const file = program("one");
    program("two", 0o644);
    mkdirSync(path.join(folder, "three"));
    const found = ["one", "two", "three", "no-such-program"].map((name) => findProgram(name, folder));
    assert.deepEqual(found, [file, undefined, undefined, undefined]);
    const own = program(ofTheSystem);
    assert.equal(findProgram(ofTheSystem, folder), own);
  });

  it("an ordinary user's PATH starts the system's programs in a Lab, with and without an environment of their own", async function () {
    if (findProgram(ofTheSystem, "/nowhere") === undefined) skip(this, `${ofTheSystem} is not installed`);
    process.env.PATH = "/usr/bin:/bin";
    for (const options of [{}, { env: { PATH: "/usr/bin:/bin" } }, { env: {} }]) {
      const { code, stdout } = await (await lab.spawn(ofTheSystem, ["--version"], options)).output();
      assert.equal(code, 0);
      assert.match(stdout, /ldconfig/);
    }
    const inShell = await (await lab.spawn("sh", ["-c", `${ofTheSystem} --version`])).output();
    assert.equal(inShell.code, 0);
    await assert.rejects(lab.spawn("no-such-program"), { code: "ENOENT" });
  });
});
