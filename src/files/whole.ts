/** Files that are there whole or not at all, whatever ends the process that writes them. */
import { randomBytes } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";

/** A hidden name beside `file`, for what is not complete yet. */
function unfinishedName(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString("hex")}`);
}

/** Writes `content` and gives it its name when it is on the disk. @throws the system's error; what was there before is unharmed then */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const unfinished = unfinishedName(file);
  try {
    const handle = await open(unfinished, "wx");
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Like writeWhole(), for callers that cannot wait; without the disk's own confirmation. @throws the system's error */
export function writeWholeSync(file: string, content: string | Uint8Array): void {
  const unfinished = unfinishedName(file);
  try {
    writeFileSync(unfinished, content, { flag: "wx" });
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}
