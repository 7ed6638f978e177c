/** A server of one page of Python, which shows the system calls with nothing around them. What it does at EMFILE is a policy. */
import { readFileSync } from "node:fs";
import { ArgumentError, LabError, requireInteger } from "../errors";
import { programFile } from "./programs";

/** What the server does when it has no descriptor left. */
export interface EmfilePolicy {
  /** Python: what to do when accept() has failed with EMFILE. It may use listener, epoll, held, end(connection) */
  onEmfile: string;
  /** Python, run once at the start */
  before?: string;
  /** for which events epoll watches the listener; default "EPOLLIN": level-triggered (epoll(7)) */
  events?: string;
}

/** A line of JSON that the server prints ten times per second. */
export interface EpollServerReport {
  /** seconds since it began to listen */
  seconds: number;
  /** connections that it has accepted and not closed */
  held: number;
  /** connections that it has closed */
  ended: number;
  /** times that accept() has failed with EMFILE */
  failed: number;
  /** times that epoll has reported a connection in the accept queue (inet_csk_listen_poll()) */
  wakeups: number;
  /** seconds of CPU time since it began to listen */
  cpu: number;
}

/** The places of programs/epoll_server.py that are filled in, each of which stands there once. */
const places = {
  port: '("127.0.0.1", 8080)',
  events: "select.EPOLLIN)",
  before: "time.process_time()\n",
  onEmfile: "failed += 1\n            pass\n",
} as const;
const placeNames = ["port", "events", "before", "onEmfile"] as const;

/**
 * The program, for `python3 -c`. It prints "listening", then reports. It runs until it is killed; at SIGUSR1 it closes five of its connections.
 * @param port 1 to 65535, at 127.0.0.1 with a backlog of 128
 * @throws ArgumentError a port that is none, or a policy without onEmfile
 */
export function epollServer(port: number, { onEmfile, before = "", events = "EPOLLIN" }: EmfilePolicy): string {
  requireInteger(port, "port", 1, 65535);
  if (typeof onEmfile !== "string" || onEmfile.trim() === "")
    throw new ArgumentError("A policy needs onEmfile: what to do when accept() has failed.", 'Python, like "pass".');
  const flags = events
    .split("|")
    .map((name) => `select.${name.trim()}`)
    .join(" | ");
  const indent = " ".repeat(12);
  const policy = onEmfile.trim().replaceAll("\n", `\n${indent}`);
  const source = readFileSync(programFile("epoll_server.py"), "utf8");
  // the first paragraph is for readers of the file
  const program = source.slice(source.indexOf("\n\nimport ") + 2).trimEnd();
  const contents: Record<keyof typeof places, string> = {
    port: `("127.0.0.1", ${port})`,
    events: `${flags})`,
    before: `time.process_time()\n${before && `${before.trim()}\n`}`,
    onEmfile: `failed += 1\n${indent}${policy}\n`,
  };
  return placeNames.reduce((text, name) => filled(text, places[name], contents[name]), program);
}

/** @throws LabError the program has been changed, and the place is not there or not alone */
function filled(program: string, place: string, content: string): string {
  const [before, after, ...more] = program.split(place);
  if (before === undefined || after === undefined || more.length > 0)
    throw new LabError(`programs/epoll_server.py must hold ${JSON.stringify(place)} once.`, { code: "ERR_PROGRAM" });
  return before + content + after;
}
