/** Claim 55: what a SYN cookie holds. */
import { ArgumentError } from "../errors";
import { claim } from "./claim";
import { count, list } from "./evidence";
import { inLab } from "./experiment";

const offers = [9000, 1460, 1459, 1400, 1300, 1299, 536];
const timestampsBit = 1;
const sackBit = 2;
const windowScaleBit = 4;

async function whatSurvives() {
  return inLab({ sysctls: { "net.ipv4.tcp_syncookies": 2 } }, async (lab) => {
    const listener = await lab.listen();
    const wire = await lab.wire();
    const rows = [];
    for (const timestamps of [false, true]) {
      for (const mss of offers) {
        await wire.peer(listener).handshake({ mss, windowScale: 7, sack: true, timestamps });
        const connection = listener.tryAccept();
        if (!connection) continue;
        const { options, sndMss } = connection.info();
        await connection.close();
        const bit = (mask: number) => Number((options & mask) !== 0);
        rows.push({
          offered: mss,
          kept: sndMss + (options & timestampsBit ? 12 : 0),
          timestamps: bit(timestampsBit),
          windowScale: bit(windowScaleBit),
          sack: bit(sackBit),
        });
      }
    }
    return { rows };
  });
}

/**
 * Claim 55: which options survive a SYN cookie. The experiment offers seven MSS values (bytes), with and without
 * timestamps. Source: __cookie_v4_init_sequence(), cookie_timestamp_decode().
 * @throws ArgumentError judge(): fewer than two connections
 */
export const whatCookiesHold = claim({
  number: 55,
  section: "Part 5",
  statement:
    "A SYN cookie holds the connection's information in the sequence number of the SYN-ACK, and the connection is made from it.",
  quote: "encodes connection info in SYN-ACK sequence number",
  notebook: "07",
  evidence: {
    rows: list("connections made from cookies; all had offered window scaling and SACK", {
      offered: count("MSS that the SYN offered"),
      kept: count("MSS that the connection uses, the room of its options included"),
      timestamps: count("1 if timestamps are in use"),
      windowScale: count("1 if window scaling has survived"),
      sack: count("1 if SACK has survived"),
    }),
  },
  experiment: (once) => once(whatSurvives),
  judge({ rows }) {
    if (rows.length < 2)
      throw new ArgumentError("One connection cannot show what is kept.", "Offer several MSS values.");
    const values = [...new Set(rows.map(({ kept }) => kept))].sort((a, b) => a - b);
    const bare = rows.filter(({ timestamps }) => timestamps === 0);
    const stamped = rows.filter(({ timestamps }) => timestamps === 1);
    const share = (of: typeof rows) =>
      `${of.filter(({ windowScale, sack }) => windowScale === 1 && sack === 1).length} of ${of.length}`;
    const measured = `${new Set(rows.map(({ offered }) => offered)).size} different MSS offered, ${values.length} kept (${values.join(", ")}); window scaling and SACK survive in ${share(bare)} without timestamps, ${share(stamped)} with`;
    const kernel = "__cookie_v4_init_sequence()";
    const all = rows.every(
      ({ offered, kept, windowScale, sack }) => kept === offered && windowScale === 1 && sack === 1,
    );
    if (all) return { verdict: "holds", measured, why: "The connection got back all options.", kernel };
    return {
      verdict: "depends",
      measured,
      why: "A cookie has 8 bits of a minute counter and 24 bits of a hash, which also carry the index of one of four MSS values (IPv4: the next lower of 536, 1300, 1440 and 1460; 536 for smaller offers). The other options come back only if timestamps carry them.",
      kernel,
    };
  },
});
