import { plot, type Clients, type Lab, type Listener } from "one-listener";
import { asJson, atRest, defineCheck, shuffled } from "one-listener/exercise";

const port = 8080;
const backlog = 5;
/** ms */
const rtt = 20;

interface Scene {
  name: string;
  cookies: 0 | 1;
  /** clients of the burst */
  clients: number;
  /** connections in the accept queue before the burst */
  before: number;
  /** connections that are accepted after it */
  accept: number;
}

/** One end of a connection. */
interface Endpoint {
  address: string;
  port: number;
}

interface Seen {
  scene: Scene;
  /** those that are ESTABLISHED on their side */
  clients: Endpoint[];
  /** indices in `clients` */
  phantoms: number[];
  answer: unknown;
}

const scenes: Scene[] = [
  { name: "a burst answered with SYN cookies", cookies: 1, clients: 20, before: 0, accept: 2 },
  { name: "a burst whose final ACKs meet a full queue", cookies: 0, clients: 6, before: 3, accept: 0 },
  { name: "a burst that fits", cookies: 1, clients: 4, before: 0, accept: 2 },
];

const nameOf = ({ address, port: at }: Endpoint) => `${address}:${at}`;

/** The clients of a burst that are ESTABLISHED on their side, as the server would see them. */
function connected(lab: Lab, burst: Clients): Endpoint[] {
  const ports = new Set(burst.which("established").map((at) => burst.at(at).localPort));
  // the mirror on the wire gives every client the address that the client connects to
  return lab
    .sockets({ states: ["ESTABLISHED"] })
    .filter(({ local, remote }) => remote.port === port && ports.has(local.port) && !remote.address.startsWith("127."))
    .map(({ local, remote }) => ({ address: remote.address, port: local.port }));
}

/** Those whom the server knows: the Lab's table has a connection with their end as the remote one. */
function known(lab: Lab): Set<string> {
  return new Set(lab.sockets({ port, states: ["ESTABLISHED"] }).map(({ remote }) => nameOf(remote)));
}

async function makeBurst(lab: Lab, listener: Listener, { clients, before, accept }: Scene): Promise<Clients> {
  if (before > 0) await lab.connect(listener, { clients: before });
  const burst = await lab.connect(listener, { clients, kind: "mirror", rtt });
  await atRest(() => [listener.acceptQueue, listener.synQueue, ...Object.values(burst.counts())], {
    quiet: 6 * rtt,
    timeout: 800,
  });
  if (accept > 0) listener.acceptAll({ limit: accept });
  return burst;
}

export default defineCheck(({ before, it, that, lab: openLab, ask, integer, picture }) => {
  const seen: Seen[] = [];

  before("three bursts", async () => {
    for (const scene of shuffled(scenes, integer)) {
      const lab = await openLab({ sysctls: { "net.ipv4.tcp_syncookies": scene.cookies } });
      const burst = await makeBurst(lab, await lab.listen({ port, backlog }), scene);
      const clients = shuffled(connected(lab, burst), integer);
      const names = known(lab);
      const phantoms = clients.flatMap((client, at) => (names.has(nameOf(client)) ? [] : [at]));
      seen.push({ scene, clients, phantoms, answer: await ask(lab, { port, clients }) });
      await burst.close();
    }
    picture(
      plot.bars(
        seen.map(({ scene }) => scene.name),
        [
          { name: "ESTABLISHED (client side)", values: seen.map(({ clients }) => clients.length) },
          { name: "of them phantoms", values: seen.map(({ phantoms }) => phantoms.length) },
          {
            name: "phantoms, by your function",
            values: seen.map(({ answer }) => (Array.isArray(answer) ? answer.length : 0)),
          },
        ],
      ),
    );
  });

  const namedIn = ({ answer }: Seen) => new Set<unknown>(Array.isArray(answer) ? answer : []);
  const namesSome = () => {
    that(
      seen.some((each) => namedIn(each).size > 0),
      {
        did: "The check gave your function the clients of three bursts",
        expected: "it names some clients",
        measured: "it names none",
      },
    );
  };
  it("returns indices", 1, () => {
    namesSome();
    for (const { answer, clients, scene } of seen) {
      const indices = Array.isArray(answer) && answer.every((at) => [...clients.keys()].includes(at as number));
      that(indices, {
        did: scene.name,
        expected: `an array of indices from 0 to ${clients.length - 1}`,
        measured: asJson(answer),
      });
    }
  });
  it("every phantom is found", 3, () => {
    that(
      seen.some(({ phantoms }) => phantoms.length > 0),
      { did: "The check made three bursts", expected: "phantoms", measured: "none: run the check again" },
    );
    const others = seen.flatMap((each) =>
      [...each.clients.keys()].filter((at) => !each.phantoms.includes(at)).map((at) => namedIn(each).has(at)),
    );
    const unnamed = others.filter((isNamed) => !isNamed).length;
    that(4 * unnamed >= others.length, {
      did: "The check gave your function the clients of three bursts",
      expected: `it leaves out at least a quarter of the ${others.length} clients that the server knows: a function that names every client has found nothing`,
      measured: `it leaves out ${unnamed}`,
    });
    for (const each of seen) {
      const missed = each.phantoms.filter((at) => !namedIn(each).has(at)).length;
      that(missed === 0, {
        did: each.scene.name,
        expected: `all ${each.phantoms.length} phantoms are named`,
        measured: `${missed} are missing`,
        read: "notebook 04, The same burst, 20 ms away",
      });
    }
  });
  it("only phantoms are named", 2, () => {
    namesSome();
    for (const each of seen) {
      const wrong = [...namedIn(each)].filter((at) => !each.phantoms.includes(at as number)).length;
      that(wrong === 0, {
        did: each.scene.name,
        expected: "only phantoms are named",
        measured: `${wrong} of the named clients are ESTABLISHED on the server, too`,
        read: "notebook 04, The same burst, 20 ms away",
      });
    }
  });
});
