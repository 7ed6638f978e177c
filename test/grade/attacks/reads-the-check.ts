/**
 * Attack: the check is loaded
 * Wall: the file is not in the sandbox
 * Told: ^It threw: Cannot find module '__PROJECT__\/\.build\/exercises\/queue-arithmetic\/check\.js'\nRequire stack:\n- __PROJECT__\/solution\.js \(line \d+\)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  require("__PROJECT__/.build/exercises/queue-arithmetic/check.js");
  return { maximum: -1, waiting: -1 };
}
