/**
 * Attack: 4 GB of data that wait in sockets of UNIX
 * Wall: the limits of descriptors and memory
 * Told: ^(It had not returned after \d+ s\.|It threw: .*EMFILE.*|It used more than \d+ MiB of memory\.|Its process was ended by signal \d+\.|Its processes had more than [\d,]+ descriptors open together\.)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const net = require("net");
  const path = "/tmp/" + Math.random();
  const held: any[] = [];
  const server = net.createServer((s: any) => {
    s.pause();
    held.push(s);
    s.on("error", () => 0);
  });
  await new Promise((r: any) => server.listen(path, r));
  const part = Buffer.alloc(200_000);
  for (let i = 0; i < 20_000; i++) {
    const c = net.connect(path);
    c.on("error", () => 0);
    c.write(part);
    held.push(c);
    if (i % 50 === 0) await new Promise((r) => setTimeout(r, 1));
  }
  return { maximum: -1, waiting: -1 };
}
