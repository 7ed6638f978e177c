/** Where programs are looked for: the PATH, and the system folders that an ordinary user's PATH often lacks. */
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";

/** Folders of ss, nginx, nft, ip and the like on Debian and its relatives, in the order of root's PATH. */
const systemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/**
 * A PATH with the system folders behind its own, so that a program that it has is found where it was.
 * @param own default: this process's PATH
 */
export function searchPath(own: string = process.env.PATH ?? ""): string {
  const folders = own.split(path.delimiter).filter((folder) => folder !== "");
  return [...folders, ...systemFolders.filter((folder) => !folders.includes(folder))].join(path.delimiter);
}

/** The absolute path of an executable program, or undefined. @param own a PATH; default: this process's */
export function findProgram(name: string, own?: string): string | undefined {
  return searchPath(own)
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
