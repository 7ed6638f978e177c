/**
 * The programs that trials are compared with. Their sources are in bench/peers; a trial builds them into .build/peers.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";

// this file runs as .build/bench/peer.js
const root = path.join(__dirname, "..", "..");
const built = path.join(root, ".build", "peers");

/** The absolute path of a file in bench/peers. */
export function peerSource(name: string): string {
  return path.join(root, "bench", "peers", name);
}

/** Builds a peer with cc or go. @param name "accept-loop.c" @returns the absolute path of the program, or a sentence that says why there is none */
export function buildPeer(name: string): { program: string } | { missing: string } {
  mkdirSync(built, { recursive: true });
  const program = path.join(built, path.parse(name).name + path.extname(name).replace(".", "-"));
  const [command, args] = name.endsWith(".go")
    ? ["go", ["build", "-o", program, peerSource(name)]]
    : ["cc", ["-O2", "-Wall", "-o", program, peerSource(name)]];
  try {
    execFileSync(command, args, { stdio: ["ignore", "ignore", "pipe"], cwd: built });
    return { program };
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer };
    return {
      missing:
        code === "ENOENT"
          ? `${command} is not installed`
          : `${command} failed: ${stderr?.toString().trim().split("\n")[0]}`,
    };
  }
}
