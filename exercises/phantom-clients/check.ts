import type { Clients, Lab } from "one-listener";
import { plot } from "one-listener";
import { atRest, defineCheck, shuffled } from "one-listener/exercise";

const rtt = 20;
const backlog = 5;
const port = 8080;

interface Scene {
  name: string;
  cookies: number;
  clients: number;
  /** connections in the queue before */
  before: number;
  accept: number;
}

const scenes: Scene[] = [
  { name: "a burst answered with SYN cookies", cookies: 1, clients: 20, before: 0, accept: 2 },
  { name: "a burst whose last ACKs meet a full queue", cookies: 0, clients: 6, before: 3, accept: 0 },
  { name: "a burst that fits", cookies: 1, clients: 4, before: 0, accept: 2 },
];

export default defineCheck(({ before, it, that, lab: openLab, ask, integer, picture }) => {
  const seen: { scene: Scene; phantoms: number[]; said: unknown; clients: number }[] = [];

  /** Those who say that they are connected, in an order drawn by lot. */
  function believers(lab: Lab, burst: Clients) {
    const far = lab
      .sockets({ states: ["ESTABLISHED"] })
      .find(({ remote, local }) => remote.port === port && local.port !== port && !remote.address.startsWith("127."))!
      .remote.address;
    return shuffled(
      burst.which("established").map((at) => ({ address: far, port: burst.at(at).localPort })),
      integer,
    );
  }

  before("three bursts", async () => {
    for (const scene of shuffled(scenes, integer)) {
      const lab = await openLab({ sysctls: { "net.ipv4.tcp_syncookies": scene.cookies } });
      const listener = await lab.listen({ port, backlog });
      if (scene.before > 0) await lab.connect(listener, { clients: scene.before });
      const burst = await lab.connect(listener, { clients: scene.clients, kind: "mirror", rtt });
      await atRest(() => [listener.acceptQueue, listener.synQueue, ...Object.values(burst.counts())], {
        quiet: 6 * rtt,
        timeout: 800,
      });
      if (scene.accept > 0) listener.acceptAll({ limit: scene.accept });
      const clients = believers(lab, burst);
      const known = new Set(
        lab.sockets({ port, states: ["ESTABLISHED"] }).map(({ remote }) => `${remote.address}:${remote.port}`),
      );
      const phantoms = clients.flatMap((client, at) => (known.has(`${client.address}:${client.port}`) ? [] : [at]));
      const said = await ask(lab, { port, clients });
      seen.push({ scene, phantoms, said, clients: clients.length });
      await burst.close();
    }
    picture(
      plot.bars(
        seen.map(({ scene }) => scene.name),
        [
          { name: "say that they are connected", values: seen.map(({ clients }) => clients) },
          { name: "of them phantoms", values: seen.map(({ phantoms }) => phantoms.length) },
          { name: "phantoms, as you say", values: seen.map(({ said }) => (Array.isArray(said) ? said.length : 0)) },
        ],
      ),
    );
  });

  const namedIn = (said: unknown) => new Set<unknown>(Array.isArray(said) ? said : []);
  const names = () => seen.some(({ said }) => Array.isArray(said) && said.length > 0);
  it("returns places in the list", 1, () => {
    that(names(), {
      did: "Three bursts went over the listener",
      expected: "some clients are named",
      measured: "nobody",
    });
    for (const { said, clients, scene } of seen) {
      that(Array.isArray(said) && said.every((at) => Number.isInteger(at) && at >= 0 && at < clients), {
        did: scene.name,
        expected: `an array of places from 0 to ${clients - 1}`,
        measured: JSON.stringify(said)?.slice(0, 200) ?? "nothing",
      });
    }
  });
  it("every phantom is found", 3, () => {
    that(
      seen.some(({ phantoms }) => phantoms.length > 0),
      { did: "Three bursts went over the listener", expected: "phantoms", measured: "none: run the check again" },
    );
    const known = seen
      .flatMap(({ phantoms, said, clients }) =>
        Array.from({ length: clients }, (_, at) => ({ phantom: phantoms.includes(at), named: namedIn(said).has(at) })),
      )
      .filter(({ phantom }) => !phantom);
    const spared = known.filter(({ named }) => !named).length;
    that(4 * spared >= known.length, {
      did: "Three bursts went over the listener",
      expected: `some of the ${known.length} whom the server knows are not named: to name everybody is to find nobody`,
      measured: `${spared} are not`,
    });
    for (const { scene, phantoms, said } of seen) {
      const missed = phantoms.filter((at) => !namedIn(said).has(at));
      that(missed.length === 0, {
        did: scene.name,
        expected: `all of the ${phantoms.length} phantoms are named`,
        measured: `${missed.length} are missing`,
        read: "notebook 04, The same burst, 20 ms away",
      });
    }
  });
  it("nobody is accused wrongly", 2, () => {
    that(names(), {
      did: "Three bursts went over the listener",
      expected: "some clients are named",
      measured: "nobody",
    });
    for (const { scene, phantoms, said } of seen) {
      const wrongly = [...namedIn(said)].filter((at) => !phantoms.includes(at as number));
      that(wrongly.length === 0, {
        did: scene.name,
        expected: "only phantoms are named",
        measured: `${wrongly.length} of those named are known to the server as ESTABLISHED`,
        read: "notebook 04, The same burst, 20 ms away",
      });
    }
  });
});
