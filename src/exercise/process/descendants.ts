/** A process and all that descend from it, as /proc shows them. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { pageSize } from "../../lab/memory";

/** One process, as /proc/PID shows it. */
export interface Descendant {
  /** in our PID namespace */
  pid: number;
  /** bytes resident */
  resident: number;
  /** open descriptors; 0 if they may not be counted */
  descriptors: number;
  /** ms of CPU, children that were waited for included */
  cpu: number;
}

const page = pageSize();
/** USER_HZ, fixed in the ABI */
const ticksPerSecond = 100;

function openBy(pid: number): number {
  try {
    // Linux 6.2 and later: the number alone, at no cost
    const { size } = statSync(`/proc/${pid}/fd`);
    return size > 0 ? size : readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** The process `root` and its descendants, at most `most` of them (a fork bomb is recognised by then); empty once `root` has ended. Source: proc(5), /proc/PID/stat and /proc/PID/task/TID/children. */
export function descendants(root: number, most = 500): Descendant[] {
  const found: Descendant[] = [];
  const pending = [root];
  for (let pid = pending.pop(); pid !== undefined && found.length < most; pid = pending.pop()) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // the name may hold anything, spaces and parentheses too
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z") continue;
      const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
      found.push({
        pid,
        resident: Number(fields[21]) * page,
        descriptors: openBy(pid),
        cpu: (ticks * 1000) / ticksPerSecond,
      });
      for (const task of readdirSync(`/proc/${pid}/task`)) {
        pending.push(
          ...readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
        );
      }
    } catch {
      // it has ended in the meantime
    }
  }
  return found;
}
