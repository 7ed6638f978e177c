import fs from "node:fs";
import { inProject, say } from "./project.mjs";

const period = 200;

/** Runs `task` while no other command of this clone builds or installs. A lock whose owner has died is taken over. */
export async function withLock(task, file = inProject(".build", "lock")) {
  fs.mkdirSync(inProject(".build"), { recursive: true });
  for (let told = false; ; ) {
    if (take(file)) break;
    const owner = Number(read(file));
    if (owner > 0 && !alive(owner)) {
      // renamed first: of two that find the same dead lock only one succeeds
      const mine = `${file}.${process.pid}`;
      try {
        fs.renameSync(file, mine);
        fs.rmSync(mine, { force: true });
      } catch {
        // another one was faster
      }
      continue;
    }
    if (!told) say(`• Waiting for another command to finish building (process ${owner || "unknown"}) …`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, period));
  }
  try {
    return await task();
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function take(file) {
  // written elsewhere and linked into place: nobody sees a lock without its owner
  const mine = `${file}.new.${process.pid}`;
  fs.writeFileSync(mine, `${process.pid}\n`);
  try {
    fs.linkSync(mine, file);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  } finally {
    fs.rmSync(mine, { force: true });
  }
}

function read(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
