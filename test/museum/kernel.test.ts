import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { interpreterOf, isProgramForX64, setInterpreter } from "../../dist/museum/elf";
import { hashOf, installed, kernelOf, remove, requireUnchanged } from "../../dist/museum/kernel";
import { memoryFile, mountOptions } from "../../dist/museum/memory-file";
import { isOfSeries, suiteOf } from "../../dist/museum/suites";
import { encodeTask, hiddenFolders } from "../../dist/museum/task";
import { pack, unpack } from "../../dist/museum/values";
import { Trace } from "../../dist/trace";
import { runProgram } from "../fixtures/processes";
import { inProject } from "../fixtures/project";
import { folderOfSuite } from "../fixtures/temporary-folder";

describe("suites of the museum", () => {
  it("are named by their code names or their kernels", () => {
    assert.equal(suiteOf("bookworm").series, "6.1");
    assert.equal(suiteOf("6.1").suite, "bookworm");
    assert.equal(suiteOf("6.1.176").suite, "bookworm");
    assert.equal(suiteOf("6.12").suite, "trixie");
    assert.throws(() => suiteOf("2.4"), {
      code: "ERR_ARGUMENT",
      message: 'No release of Debian named "2.4" has user-mode Linux.',
    });
  });

  it("compare versions part by part", () => {
    assert.ok(isOfSeries("6.1.176", "6.1"));
    assert.ok(isOfSeries("6.1.176", "6"));
    assert.ok(!isOfSeries("6.12.113", "6.1"));
  });
});

describe("installed kernels", () => {
  const folder = folderOfSuite("kernels");
  const put = (name: string, version: string) => {
    mkdirSync(folder.path(name), { recursive: true });
    const program = Buffer.from(`the program of ${name}`);
    writeFileSync(folder.path(name, "linux"), program);
    const record = { version, suite: name, programHash: hashOf(program) };
    writeFileSync(folder.path(name, "kernel.json"), JSON.stringify(record));
  };
  beforeEach(() => {
    for (const [name, version] of [
      ["sid", "7.2.7"],
      ["bookworm", "6.1.176"],
      ["trixie", "6.12.113"],
    ] as const)
      put(name, version);
  });
  afterEach(() => {
    folder.remove();
  });

  it("are listed from the oldest; what is no kernel is left out", () => {
    mkdirSync(folder.path(".new-1-1"));
    mkdirSync(folder.path("empty"));
    assert.deepEqual(
      installed(folder.place).map(({ name }) => name),
      ["bookworm", "trixie", "sid"],
    );
    assert.deepEqual(installed(folder.path("nothing")), []);
  });

  it("are found by name, version or series, and the message says what is there", () => {
    assert.equal(kernelOf("6.1", folder.place).name, "bookworm");
    assert.equal(kernelOf("6", folder.place).name, "trixie");
    assert.equal(kernelOf("7.2.7", folder.place).name, "sid");
    assert.throws(() => kernelOf("5.10", folder.place), {
      message: 'The kernel "5.10" is not installed.',
      hint: "Installed: bookworm (6.1.176), trixie (6.12.113), sid (7.2.7). Run: npx one-listener kernels get bullseye",
    });
    assert.throws(() => kernelOf("4.19", folder.path("nothing")), {
      hint: "None is. Run: npx one-listener kernels list",
    });
  });

  it("are removed one by one", () => {
    assert.equal(remove("6.1", folder.place).name, "bookworm");
    assert.ok(!existsSync(folder.path("bookworm")));
    assert.equal(installed(folder.place).length, 2);
  });

  it("are not run when the program was changed", () => {
    const kernel = kernelOf("6.1", folder.place);
    requireUnchanged(kernel);
    writeFileSync(folder.path("bookworm", "linux"), "another program");
    assert.throws(
      () => {
        requireUnchanged(kernel);
      },
      { code: "ERR_GUEST", hint: "Fetch it again: npx one-listener kernels get bookworm" },
    );
  });
});

describe("another dynamic linker for a program", () => {
  const folder = folderOfSuite("elf");
  const program = inProject("native", "build", "Release", "kernel-init");

  it("is written over the old one, relative to the folder in which the program starts", async () => {
    const bytes = readFileSync(inProject("native", "build", "Release", "kernel-boot"));
    assert.ok(isProgramForX64(bytes));
    const linker = interpreterOf(bytes);
    assert.ok(linker !== undefined && existsSync(linker));
    mkdirSync(folder.path("libc"));
    copyFileSync(linker, folder.path("libc", "ld.so"));
    setInterpreter(bytes, "libc/ld.so");
    assert.equal(interpreterOf(bytes), "libc/ld.so");
    writeFileSync(folder.path("program"), bytes, { mode: 0o755 });
    const ended = await runProgram(folder.path("program"), [], { cwd: folder.place });
    // it runs: it says how it wants to be called
    assert.deepEqual([ended.code, ended.stderr], [2, "kernel-boot LIBRARIES PROGRAM [ARGUMENT...]\n"]);
  });

  it("must not be longer than the old one", () => {
    assert.throws(
      () => {
        setInterpreter(readFileSync(program), "a/".repeat(100));
      },
      { code: "ERR_GUEST" },
    );
  });

  it("is looked for in programs for x86-64 alone", () => {
    assert.ok(!isProgramForX64(Buffer.from("#!/bin/sh\n".repeat(20))));
    const other = readFileSync(program);
    other.writeUInt16LE(183, 18); // EM_AARCH64
    assert.ok(!isProgramForX64(other));
  });
});

describe("the memory file of a kernel", () => {
  const folder = folderOfSuite("memory");
  const mounts = (options: string) =>
    `22 1 8:1 / / rw,relatime - ext4 /dev/sda rw\n30 22 0:26 / ${folder.place} ${options} - tmpfs tmpfs rw`;

  it("is put where it can be executed", () => {
    assert.deepEqual(mountOptions("/home/me", "22 1 8:1 / / rw,noexec - ext4 /dev/sda rw"), ["rw", "noexec"]);
    assert.deepEqual(mountOptions(folder.place, mounts("rw,nosuid")), ["rw", "nosuid"]);
    const found = memoryFile(2 ** 20, { folders: [folder.place], mountinfo: mounts("rw"), free: 2 ** 30 });
    assert.deepEqual(found, { folder: folder.place, size: 2 ** 20 });
  });

  it("says of each folder why it does not serve", () => {
    const places = { folders: [folder.place, "/nowhere"], mountinfo: mounts("rw,noexec"), free: 2 ** 40 };
    assert.throws(() => memoryFile(2 ** 20, places), {
      code: "ERR_LIMIT",
      message: `No folder serves for the kernel's memory file of 1 MiB: ${folder.place} is mounted noexec; /nowhere cannot be written (ENOENT).`,
      hint: "Set the variable TMPDIR to a folder with more space that is not mounted noexec.",
    });
  });

  it("is refused where the machine has no memory or no space for it", () => {
    const places = { folders: [folder.place], mountinfo: mounts("rw") };
    assert.throws(() => memoryFile(2 ** 30, { ...places, free: 2 ** 29 }), /needs 1024 MiB of memory, and .* 512 MiB/);
    assert.throws(() => memoryFile(2 ** 52, { ...places, free: 2 ** 60 }), /has \d+ MiB free/);
  });
});

describe("the task of a guest's first process", () => {
  const task = {
    modules: "/kernels/6.1/modules",
    load: ["veth"],
    keep: [],
    directory: "/a folder",
    environment: { GREETING: "a=b\nc" },
    command: ["sh", "-c", "echo \"$GREETING\" 'x'", ""],
    user: 1000,
    group: 100,
    descriptors: 64,
  };

  it("is a file of pairs in which nothing has to be quoted", () => {
    const fields = encodeTask(task).toString().split("\0");
    assert.equal(fields.pop(), "");
    const pairs = Array.from({ length: fields.length / 2 }, (_, at) => fields.slice(at * 2, at * 2 + 2));
    assert.deepEqual(
      pairs.filter(([name]) => name !== "seed"),
      [
        ["modules", "/kernels/6.1/modules"],
        ["load", "veth"],
        ["directory", "/a folder"],
        ["user", "1000"],
        ["group", "100"],
        ["descriptors", "64"],
        ["environment", "GREETING=a=b\nc"],
        ["argument", "sh"],
        ["argument", "-c"],
        ["argument", "echo \"$GREETING\" 'x'"],
        ["argument", ""],
      ],
    );
    assert.throws(() => encodeTask({ ...task, command: ["a\0b"] }), { code: "ERR_ARGUMENT" });
  });

  it("keeps folders visible that the guest's own file systems would hide", () => {
    const folder = mkdtempSync("/tmp/one-listener-keep-");
    try {
      mkdirSync(path.join(folder, "inside"));
      assert.deepEqual(hiddenFolders(["/usr", folder, path.join(folder, "inside"), "/tmp/is-not-there"]), [folder]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("what travels between kernels", () => {
  it("comes back as it was: numbers, typed arrays, maps, and Traces at any depth", async () => {
    const trace = Trace.fromRows({ queue: [{ time: 0, acceptQueue: 1 }, { time: 5, acceptQueue: 6 }] }); // prettier-ignore
    const value = {
      nan: NaN,
      nothing: undefined,
      list: [1, { trace }],
      typed: new Float64Array([1.5]),
      map: new Map([[1, 2]]),
    };
    const back = (await unpack(await pack(value, "It"))) as typeof value;
    assert.deepEqual(
      { ...back, list: 0 },
      { nan: NaN, nothing: undefined, list: 0, typed: new Float64Array([1.5]), map: new Map([[1, 2]]) },
    );
    const { trace: returned } = back.list[1] as { trace: Trace };
    assert.ok(returned instanceof Trace);
    assert.deepEqual([...returned.column("acceptQueue").values], [1, 6]);
  });

  it("is refused where it is no data", async () => {
    const circle: Record<string, unknown> = {};
    circle.itself = [circle];
    await assert.rejects(pack(circle, "It"), { code: "ERR_ARGUMENT" });
    await assert.rejects(
      pack({ deep: [() => 1] }, "It"),
      /^ArgumentError: It cannot travel between kernels: \(\) => 1 could not be cloned/,
    );
  });
});
