/** The programs that run as real servers inside a Lab: files in programs/, which the build copies beside the compiled code. */
import path from "node:path";

/** The programs in src/server/programs. */
export type ProgramName =
  | "epoll_server.py"
  | "http-server.go"
  | "http-server.mjs"
  | "limited_server.py"
  | "nginx.conf"
  | "silent-server.mjs"
  | "sleeping_server.py";

/** The absolute path of a program, to be run or read. How each is called stands in its first lines. */
export function programFile(name: ProgramName): string {
  return path.join(__dirname, "programs", name);
}
