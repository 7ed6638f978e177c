import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Lab } from "../../dist/front-door";
import { buildGoServer } from "../../dist/server/go-build";
import { until } from "../fixtures/waiting";

/** A shell script stands for the compiler, so that it takes as long as a test wants. */
describe("compiling the Go server", () => {
  let lab: Lab;
  let folder: string;
  let printed: string;
  const before = process.env.PATH;
  const write = process.stderr.write.bind(process.stderr);

  beforeEach(async () => {
    lab = await Lab.open({ wire: false });
    folder = mkdtempSync(path.join(os.tmpdir(), "one-listener-go-"));
    printed = "";
    process.stderr.write = (text: string) => (printed += text) !== "";
  });
  afterEach(async () => {
    process.stderr.write = write;
    process.env.PATH = before;
    await lab.close();
    rmSync(folder, { recursive: true });
  });

  /** The compiler that goes through these lines. */
  const compiler = (...lines: string[]) => {
    const file = path.join(folder, "go");
    writeFileSync(file, ["#!/bin/sh", `echo $$ > ${folder}/pid`, ...lines].join("\n"));
    chmodSync(file, 0o755);
    process.env.PATH = `${folder}:${before}`;
  };
  /** It waits in a process of its own, as go waits for its compilers. */
  const sleeping = [`sleep 60 &`, `echo $! > "$(dirname "$0")/child"`, "wait"];
  const child = async () =>
    Number(
      await until(
        () => existsSync(`${folder}/child`) && readFileSync(`${folder}/child`, "utf8").trim(),
        "the compiler's child",
      ),
    );
  const runs = (pid: number) => {
    try {
      return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    } catch {
      return false;
    }
  };

  it("says once that it takes its time, and gives the program", async () => {
    compiler("sleep 2.5");
    assert.equal(await buildGoServer(lab.host, folder), path.join(folder, "server"));
    assert.match(printed, /^Compiling the Go server \(the first time this takes a minute or two\): 1\.\d+ s …\n$/);
  });

  it("says nothing where it is quick", async () => {
    compiler("exit 0");
    await buildGoServer(lab.host, folder);
    assert.equal(printed, "");
  });

  it("is ended at its bound, with the processes that it has started", async () => {
    compiler(...sleeping);
    await assert.rejects(buildGoServer(lab.host, folder, 500), {
      code: "ETIMEDOUT",
      message: "The Go compiler did not finish within 500 ms.",
    });
    const pid = await child();
    await until(() => !runs(pid), "the end of the compiler's child");
  });

  it("ends with its Lab", async () => {
    compiler(...sleeping);
    const building = assert.rejects(buildGoServer(lab.host, folder), { code: "ERR_INTERRUPTED" });
    const pid = await child();
    await lab.close();
    await building;
    await until(() => !runs(pid), "the end of the compiler's child");
  });

  it("tells what the compiler says", async () => {
    compiler('echo "# command-line-arguments" >&2', 'echo "./http-server.go:7:2: undefined: x" >&2', "exit 1");
    await assert.rejects(buildGoServer(lab.host, folder), {
      code: "ERR_BUILD",
      message: "The Go server cannot be built: ./http-server.go:7:2: undefined: x",
    });
  });

  it("needs go", async () => {
    process.env.PATH = folder;
    await assert.rejects(buildGoServer(lab.host, folder), {
      code: "ENOENT",
      message: /^The program "go" is not installed/,
    });
  });
});
