/**
 * Packages of Debian, fetched from the mirror that this machine's apt uses, without root and apart from apt's own state.
 *
 * The chain of trust: the machine's archive keyring (installed by its administrator) verifies the signature of a release; the signed
 * release names the hash of its list of packages; the list names the hash of each package. apt-get checks all of it and is never told
 * to do without. A release that is newer than the machine's keyring is signed with a key that is not in it. Then a release that does
 * verify lends its own package `debian-archive-keyring`, which holds newer keys, and so on.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { LabError } from "../errors";
import type { VerifiedPackage } from "./install";
import { filesBelow, hashOf } from "./kernel";
import { run, type RunEnd } from "./run";
import { suites } from "./suites";

/** Where packages come from. */
export interface PackageOptions {
  /** base address of a Debian mirror; default: the one that apt uses */
  mirror?: string | undefined;
  /** the keyring that is trusted to begin with; default: the machine's debian-archive-keyring */
  keyring?: string | undefined;
  /** told what is being done, a sentence each */
  say?: (text: string) => void;
  signal?: AbortSignal | undefined;
}

/** ms for one run of apt: a list of packages has 10 MB */
const longest = 300_000;

/** where Debian has its archive keyring, the newer name first */
const keyrings = ["/usr/share/keyrings/debian-archive-keyring.pgp", "/usr/share/keyrings/debian-archive-keyring.gpg"];

const elsewhere =
  "Elsewhere than on Debian a package file can be installed: npx one-listener kernels get --package FILE.deb --sha256 HEX";

/** Packages of several suites, in a temporary folder that close() removes. */
export class Packages {
  private readonly state = mkdtempSync(path.join(os.tmpdir(), "one-listener-apt-"));
  /** which keyring verifies which suite, as far as it was found out */
  private readonly verifying = new Map<string, string>();
  /** where each keyring came from */
  private readonly origins = new Map<string, string>();

  private constructor(
    private readonly mirror: string,
    private readonly firstKeyring: string,
    private readonly options: PackageOptions,
  ) {}

  /**
   * @throws LabError ERR_MIRROR: the machine has no apt, apt has no Debian mirror, or there is no keyring to begin with
   */
  static async open(options: PackageOptions = {}): Promise<Packages> {
    if (os.arch() !== "x64")
      throw new LabError(`Debian has user-mode Linux for x86-64; this machine is ${os.arch()}.`, {
        code: "ERR_MIRROR",
      });
    const mirror = options.mirror ?? (await mirrorOfApt(options.signal));
    const keyring = options.keyring ?? keyrings.find((file) => existsSync(file));
    if (keyring === undefined || !existsSync(keyring))
      throw new LabError(
        `There is no keyring of Debian's archive${keyring ? ` at ${keyring}` : ""}: no signature can be verified.`,
        {
          code: "ERR_MIRROR",
          hint: "Install the package debian-archive-keyring.",
        },
      );
    return new Packages(mirror, path.resolve(keyring), options);
  }

  /** Removes what was fetched. Idempotent. */
  close(): void {
    rmSync(this.state, { recursive: true, force: true });
  }

  /**
   * Fetches a package of a suite, and verifies it.
   * @throws LabError ERR_MIRROR: the mirror does not answer, or has no such package; ERR_SIGNATURE: the suite's signature cannot be verified
   */
  async fetch(suite: string, name: string): Promise<VerifiedPackage> {
    const keyring = await this.keyringFor(suite);
    const place = path.join(this.folderOf(suite), "packages", name);
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    this.say(`${suite}: fetching the package ${name}`);
    const ended = await this.apt(suite, keyring, ["download", name], place);
    const [file] = readdirSync(place).filter((each) => each.endsWith(".deb"));
    if (ended.status !== 0 || file === undefined)
      throw this.failure(`${suite}: the package ${name} was not fetched`, ended);
    return {
      file: path.join(place, file),
      package: `${name} ${decodeURIComponent(file).split("_")[1] ?? ""}`,
      suite,
      verified: this.reason(suite, keyring),
    };
  }

  private reason(suite: string, keyring: string): string {
    const from = this.origins.get(keyring) ?? keyring;
    return `apt verified it: the release ${suite} of ${this.mirror} is signed by a key of ${from}, and lists the package's hash.`;
  }

  /** The keyring that verifies `suite`: the machine's, or one that was fetched from a release that verifies. */
  private async keyringFor(suite: string): Promise<string> {
    const known = this.verifying.get(suite);
    if (known !== undefined) return known;
    const tried = new Set<string>();
    let keyring: string | undefined = this.firstKeyring;
    let ended: RunEnd | undefined;
    while (keyring !== undefined) {
      tried.add(hashOf(readFileSync(keyring)));
      ended = await this.update(suite, keyring);
      if (ended === undefined) {
        this.verifying.set(suite, keyring);
        return keyring;
      }
      this.say(`${suite}: no key of ${path.basename(keyring)} has signed this release; looking for newer keys`);
      keyring = await this.newerKeyring(suite, keyring, tried);
    }
    throw new LabError(`The signature of Debian's release ${suite} cannot be verified: ${problem(ended)}.`, {
      code: "ERR_SIGNATURE",
      hint: "Update the package debian-archive-keyring of this machine. Nothing unsigned is run.",
    });
  }

  /** A keyring with other keys than those that were tried, from a release that `keyring` verifies; the newest such release first. */
  private async newerKeyring(wanted: string, keyring: string, tried: Set<string>): Promise<string | undefined> {
    for (const { suite } of [...suites].reverse()) {
      if (suite === wanted || (await this.update(suite, keyring)) !== undefined) continue;
      this.verifying.set(suite, keyring);
      const { file } = await this.fetch(suite, "debian-archive-keyring");
      const unpacked = path.join(this.folderOf(suite), "keyring");
      await run("dpkg-deb", ["--extract", file, unpacked], { signal: this.options.signal });
      const found = filesBelow(unpacked)
        .filter((name) => /\/debian-archive-keyring\.(gpg|pgp)$/.test(name))
        .map((name) => path.join(unpacked, name))
        .find((each) => !tried.has(hashOf(readFileSync(each))));
      if (found === undefined) continue;
      this.origins.set(
        found,
        `the debian-archive-keyring of ${suite}, verified by ${this.origins.get(keyring) ?? keyring}`,
      );
      return found;
    }
    return undefined;
  }

  /** Fetches the suite's lists; undefined: verified with this keyring. @throws LabError ERR_MIRROR: failed for another reason than the signature */
  private async update(suite: string, keyring: string): Promise<RunEnd | undefined> {
    const ended = await this.apt(suite, keyring, ["update"]);
    if (ended.status === 0 && !/^[WE]:/m.test(ended.stderr)) return undefined;
    if (
      /NO_PUBKEY|EXPKEYSIG|REVKEYSIG|KEYEXPIRED|is not signed|signature|GPG error|Missing key|No good/i.test(
        ended.stderr,
      )
    )
      return ended;
    throw this.failure(`The mirror ${this.mirror} gave no list of packages of ${suite}`, ended);
  }

  private folderOf(suite: string): string {
    return path.join(this.state, suite);
  }

  /** Runs apt-get with directories and sources of its own; the machine's proxy settings hold. */
  private async apt(suite: string, keyring: string, args: string[], cwd = this.state): Promise<RunEnd> {
    const folder = this.folderOf(suite);
    mkdirSync(path.join(folder, "lists", "partial"), { recursive: true });
    mkdirSync(path.join(folder, "cache", "archives", "partial"), { recursive: true });
    const sources = path.join(folder, "sources.list");
    writeFileSync(sources, `deb [arch=amd64 signed-by=${keyring}] ${this.mirror} ${suite} main\n`);
    const settings = {
      "Dir::Etc::sourcelist": sources,
      "Dir::Etc::sourceparts": "/dev/null",
      "Dir::Etc::preferences": "/dev/null",
      "Dir::Etc::preferencesparts": "/dev/null",
      "Dir::State::Lists": path.join(folder, "lists"),
      "Dir::Cache": path.join(folder, "cache"),
      "Dir::State::status": "/dev/null",
      // root's apt would fetch as a user who cannot read this folder; another's has no choice
      "APT::Sandbox::User": "root",
      "APT::Architecture": "amd64",
      "APT::Get::AllowUnauthenticated": "false",
      "Acquire::AllowInsecureRepositories": "false",
      "Acquire::AllowWeakRepositories": "false",
      "Acquire::AllowDowngradeToInsecureRepositories": "false",
      // descriptions and software catalogues: half of what would be fetched
      "Acquire::Languages": "none",
      "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
      "Acquire::http::Timeout": "20",
      "Acquire::https::Timeout": "20",
      "Acquire::Retries": "1",
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    // in English, because what it says is looked at
    const env = { ...process.env, LC_ALL: "C.UTF-8", LANGUAGE: "" };
    return run("apt-get", ["-qq", ...options, ...args], { cwd, env, timeout: longest, signal: this.options.signal });
  }

  private failure(what: string, ended: RunEnd): LabError {
    return new LabError(`${what}: ${problem(ended)}.`, {
      code: "ERR_MIRROR",
      hint: `Look whether this machine reaches ${this.mirror}. ${elsewhere}`,
    });
  }

  private say(text: string): void {
    this.options.say?.(text);
  }
}

/** What apt complains of first, without its mark. */
function problem(ended: RunEnd | undefined): string {
  const lines = (ended?.stderr ?? "").split("\n").filter((line) => /^[WE]: /.test(line));
  const line = lines.find((each) => each.startsWith("E:")) ?? lines[0] ?? ended?.stderr.trim() ?? "";
  return line.replace(/^[WE]: /, "").replace(/[\s.]+$/, "") || "apt-get says nothing more";
}

/** The Debian mirror of the machine's apt: the first source whose origin is Debian. */
async function mirrorOfApt(signal?: AbortSignal): Promise<string> {
  let ended: RunEnd;
  try {
    ended = await run("apt-get", ["indextargets", "--format", "$(ORIGIN)\t$(REPO_URI)", "Created-By: Packages"], {
      signal,
    });
  } catch (error) {
    if (!(error instanceof LabError) || error.code !== "ENOENT") throw error;
    throw new LabError("This machine has no apt, with which Debian's kernels are fetched.", {
      code: "ERR_MIRROR",
      hint: elsewhere,
    });
  }
  const sources = ended.stdout.split("\n").map((line) => line.split("\t"));
  const named = sources.find(([origin = "", uri = ""]) => origin === "Debian" && !uri.includes("security"))?.[1];
  // before the first `apt update` apt knows no origin
  const guessed = sources.find(([, uri = ""]) => /\/debian\/?$/.test(uri))?.[1];
  const mirror = named ?? guessed;
  if (mirror !== undefined) return mirror;
  throw new LabError("The apt of this machine knows no mirror of Debian.", {
    code: "ERR_MIRROR",
    hint: `Name one: npx one-listener kernels get --mirror http://deb.debian.org/debian. ${elsewhere}`,
  });
}
