import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { get, getPackage } from "../../dist/museum/get";
import { hashOf } from "../../dist/museum/kernel";
import { run } from "../../dist/museum/run";
import { hasProgram } from "../fixtures/processes";
import { inProject } from "../fixtures/project";
import { skip } from "../fixtures/skip";
import { folderOfSuite } from "../fixtures/temporary-folder";

describe("a package file of the reader's", () => {
  const folder = folderOfSuite("packages");
  const kernels = () => ({ folder: folder.path("kernels") });

  /** A package with those fields and files. */
  function build(name: string, fields: Record<string, string>, files: Record<string, Buffer> = {}): string {
    const tree = folder.path(`tree-${name}`);
    mkdirSync(`${tree}/DEBIAN`, { recursive: true });
    const all = { Package: "user-mode-linux", Version: "1", Architecture: "amd64", Maintainer: "nobody", Description: "a test", ...fields }; // prettier-ignore
    writeFileSync(`${tree}/DEBIAN/control`, Object.entries(all).map(([key, value]) => `${key}: ${value}\n`).join("")); // prettier-ignore
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(`${tree}/${file.slice(0, file.lastIndexOf("/"))}`, { recursive: true });
      writeFileSync(`${tree}/${file}`, content, { mode: 0o755 });
    }
    const deb = folder.path(`${name}.deb`);
    execFileSync("dpkg-deb", ["--build", "--root-owner-group", "-Znone", tree, deb], { stdio: "ignore" });
    return deb;
  }
  const hashed = (file: string) => getPackage(file, hashOf(readFileSync(file)), kernels());

  before(function () {
    if (!hasProgram("dpkg-deb")) skip(this, "there is no dpkg-deb here");
  });

  it("needs its hash, and the right one", async () => {
    const file = build("plain", {});
    await assert.rejects(getPackage(file, undefined, kernels()), {
      code: "ERR_ARGUMENT",
      message: "A package file has no signature of its own, and nothing unsigned is run.",
    });
    await assert.rejects(getPackage(file, "00", kernels()), /its SHA-256 is [0-9a-f]{64}/);
    await assert.rejects(getPackage(folder.path("none.deb"), "00", kernels()), /There is no package file/);
  });

  it("is refused where it is for another architecture, another package, or none at all", async () => {
    await assert.rejects(hashed(build("arm", { Architecture: "arm64" })), {
      message: "arm.deb is for the architecture arm64; this machine runs amd64.",
    });
    await assert.rejects(hashed(build("other", { Package: "hello" })), {
      message: "other.deb is the package hello, not user-mode-linux.",
    });
    writeFileSync(folder.path("text.deb"), "text");
    await assert.rejects(hashed(folder.path("text.deb")), /^ArgumentError: text.deb is no Debian package: /);
  });

  it("is refused where it holds no kernel, or one that cannot run", async () => {
    await assert.rejects(hashed(build("empty", {})), { code: "ERR_PACKAGE" });
    const modules = { "usr/lib/uml/modules/1.0/modules.dep": Buffer.of() };
    const program = readFileSync(inProject("native", "build", "Release", "kernel-boot"));
    await assert.rejects(hashed(build("broken", {}, { ...modules, "usr/bin/linux.uml": program })), {
      code: "ERR_GUEST",
    });
    // nothing half-made stays
    assert.ok(!existsSync(folder.path("kernels", "file-1.0")));
  });

  it("names the lack of dpkg-deb", async () => {
    const file = build("fine", {});
    const { PATH } = process.env;
    process.env.PATH = folder.place;
    try {
      await assert.rejects(hashed(file), {
        message: "This machine has no dpkg-deb, with which packages are unpacked.",
      });
      await assert.rejects(get([], { keyring: file }), {
        code: "ERR_MIRROR",
        message: "This machine has no apt, with which Debian's kernels are fetched.",
      });
    } finally {
      process.env.PATH = PATH;
    }
  });
});

describe("fetching from a mirror", () => {
  const folder = folderOfSuite("mirror");
  before(function () {
    if (!hasProgram("apt-get")) skip(this, "there is no apt here");
  });

  it("needs a release that has user-mode Linux, and a keyring", async () => {
    await assert.rejects(get(["stretch"]), { code: "ERR_ARGUMENT" });
    await assert.rejects(get([], { mirror: "http://127.0.0.1:9/debian", keyring: folder.path("none.gpg") }), {
      code: "ERR_MIRROR",
      message: `There is no keyring of Debian's archive at ${folder.path("none.gpg")}: no signature can be verified.`,
    });
  });

  it("says that the mirror refuses, for each release", async () => {
    const keyring = folder.write("keyring.gpg", "no keys");
    const options = { mirror: "http://127.0.0.1:9/debian", keyring, folder: folder.path("kernels") };
    const results = await get(["6.1", "bullseye"], options);
    assert.deepEqual(
      results.map(({ suite }) => suite.suite),
      ["bookworm", "bullseye"],
    );
    for (const { error } of results) {
      assert.equal((error as Error & { code: string }).code, "ERR_MIRROR");
      assert.match(error?.message ?? "", /^The mirror http:\/\/127\.0\.0\.1:9\/debian gave no list of packages/);
    }
  });

  it("runs nothing that a mirror has not signed", async () => {
    const answers = {
      "/debian/dists/bookworm/Release": "Origin: Debian\nSuite: bookworm\nCodename: bookworm\nMD5Sum:\n",
    };
    const server = net.createServer((socket) => {
      socket
        .on("error", () => undefined)
        .on("data", (request) => {
          const place = /^GET (\S+)/.exec(request.toString())?.[1] ?? "";
          const body = answers[place as keyof typeof answers] as string | undefined;
          socket.end(`HTTP/1.1 ${body === undefined ? "404 Not Found" : "200 OK"}\r\nContent-Length: ${body?.length ?? 0}\r\nConnection: close\r\n\r\n${body ?? ""}`); // prettier-ignore
        });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian`;
      const keyring = folder.write("keyring.gpg", "no keys");
      const [result] = await get(["bookworm"], { mirror, keyring, folder: folder.path("kernels") });
      assert.match(result.error?.message ?? "", /signature|not signed|Release file/);
      assert.ok(!existsSync(folder.path("kernels", "bookworm")));
    } finally {
      server.close();
    }
  });

  it("ends a program that takes too long, with its children", async () => {
    await assert.rejects(run("sh", ["-c", "sleep 100 & wait"], { timeout: 200 }), { code: "ERR_TIMEOUT" });
    await assert.rejects(run("sleep", ["100"], { signal: AbortSignal.timeout(100) }), { code: "ERR_INTERRUPTED" });
    await assert.rejects(run("/is/not/there", []), { code: "ENOENT" });
  });
});
