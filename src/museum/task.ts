/** The file that tells a guest's first process what to do; native/museum/task.h has its other end. */
import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import path from "node:path";
import { ArgumentError } from "../errors";

/** What a guest's first process does. */
export interface Task {
  /** folder with modules.dep */
  modules: string;
  /** modules by name, as modules.dep has them with _ for - */
  load: readonly string[];
  /** folders below /tmp, /run or /dev/shm that the guest sees all the same */
  keep: readonly string[];
  /** the command's working directory */
  directory: string;
  /** a file that is the command's stdin; default: /dev/null */
  input?: string | undefined;
  /** a file for what the command writes to descriptor 3 */
  result?: string | undefined;
  /** whole environment of the command */
  environment: Readonly<Record<string, string>>;
  /** program and arguments */
  command: readonly string[];
  user: number;
  group: number;
  /** limit of open files */
  descriptors: number;
}

/** The task as pairs of name and value, each ended by a zero byte. @throws ArgumentError a value holds a zero byte */
export function encodeTask(task: Task): Buffer {
  const pairs: [string, string | number][] = [
    ["modules", task.modules],
    ...task.load.map((name): [string, string] => ["load", name]),
    ...task.keep.map((folder): [string, string] => ["keep", folder]),
    ["directory", task.directory],
    ...(task.input === undefined ? [] : [["input", task.input] as [string, string]]),
    ...(task.result === undefined ? [] : [["result", task.result] as [string, string]]),
    ["seed", randomBytes(64).toString("hex")],
    ["user", task.user],
    ["group", task.group],
    ["descriptors", task.descriptors],
    ...Object.entries(task.environment).map(([name, value]): [string, string] => ["environment", `${name}=${value}`]),
    ...task.command.map((argument): [string, string] => ["argument", argument]),
  ];
  for (const [name, value] of pairs)
    if (String(value).includes("\0")) throw new ArgumentError(`A zero byte cannot stand in a command (${name}).`);
  return Buffer.from(pairs.map(([name, value]) => `${name}\0${value}\0`).join(""));
}

/** where the guest has file systems of its own */
const hiding = ["/tmp", "/run", "/dev/shm"];

/** Those of `folders` that the guest would not see, without those inside others. */
export function hiddenFolders(folders: readonly string[]): string[] {
  const real = folders.flatMap((folder) => {
    try {
      return [path.resolve(folder), realpathSync(folder)];
    } catch {
      return [];
    }
  });
  const hidden = [...new Set(real)].filter((folder) => hiding.some((place) => folder.startsWith(`${place}/`)));
  return hidden.filter((folder) => !hidden.some((other) => folder.startsWith(`${other}/`))).sort();
}
