/** Judges of the claims about SYN floods and SYN cookies. */
import { undecidable, verdicts } from "../judging";

const cookies = { syns: 50_000, cookiesSent: 50_000, entries: 0, bytes: 0 };
const flooded = { cookies: 0, flood: 100_000, clients: 100, connected: 0, synQueue: 129, cookiesSent: 0 };
const calm = { ...flooded, flood: 0, connected: 100, synQueue: 2 };
const under = (setting: number, cookiesSent: number) => ({ cookies: setting, syns: 100, cookiesSent, synQueue: 17 });
const kept = { offered: 1400, kept: 1300, timestamps: 0, windowScale: 0, sack: 0 };

describe("judges of claims", () => {
  verdicts(37, [
    [
      "holds",
      { withCookies: cookies, remembered: { ...cookies, cookiesSent: 0, entries: 50_000, bytes: 17e6 } },
      "nothing grows",
    ],
    ["false", { withCookies: { ...cookies, bytes: 17e6 } }, "it grows all the same"],
    [
      "undecided",
      { withCookies: { ...cookies, bytes: 17e6 }, others: 0.8 },
      "it grows without a request, on a busy machine",
    ],
    ["false", { withCookies: { ...cookies, entries: 50_000, bytes: 17e6 }, others: 0.8 }, "the requests are counted"],
  ]);
  verdicts(56, [
    ["holds", { withCookies: cookies }, "never queued"],
    [
      "holds",
      { withCookies: { ...cookies, cookiesSent: 49_871, entries: 129 } },
      "only those without a cookie are queued",
    ],
    ["false", { withCookies: { ...cookies, entries: 129 } }, "queued as well"],
  ]);
  verdicts(38, [
    ["false", { syns: 50_000, reached: 50_000, answered: 50_000, rate: 2e5 }, "all answered"],
    ["holds", { syns: 50_000, reached: 50_000, answered: 1000, rate: 2e5, cookies: 1 }, "most are not"],
  ]);
  verdicts(39, [
    ["holds", { tool: "nft", syns: 1000, answered: 0, entries: 0, reached: 0 }, "dropped before TCP"],
    ["false", { tool: "nft", syns: 1000, answered: 1000, entries: 129, reached: 1000 }, "the rule does nothing"],
  ]);
  verdicts(54, [
    ["holds", { without: flooded, calm }, "locked out"],
    ["false", { without: { ...flooded, connected: 90 } }, "most get in"],
    ["undecided", { without: { ...flooded, connected: 90 }, others: 0.8 }, "most get in, on a busy machine"],
    [
      "undecided",
      { without: flooded, calm: { ...calm, connected: 10 }, others: 0.8 },
      "not even without a flood, on a busy machine",
    ],
  ]);
  verdicts(57, [
    [
      "holds",
      { with: { ...flooded, cookies: 1, connected: 100, cookiesSent: 99_871 }, without: flooded },
      "all get in",
    ],
    ["depends", { with: { ...flooded, cookies: 1, connected: 60, cookiesSent: 99_871 } }, "most get in"],
    ["false", { with: { ...flooded, cookies: 1, connected: 3, cookiesSent: 99_871 } }, "hardly any"],
    [
      "undecided",
      { with: { ...flooded, cookies: 1, connected: 60, cookiesSent: 99_871 }, others: 0.8 },
      "most get in, on a busy machine",
    ],
  ]);
  verdicts(58, [
    ["holds", { value: 1, rows: [under(0, 0), under(1, 83), under(2, 100)] }, "and it is the default"],
    ["false", { value: 1, rows: [under(0, 10), under(1, 83)] }, "also when switched off"],
    ["false", { value: 0, rows: [under(0, 0), under(1, 0)] }, "not at all"],
  ]);
  verdicts(55, [
    [
      "depends",
      { rows: [kept, { ...kept, timestamps: 1, windowScale: 1, sack: 1 }] },
      "rounded, and the rest by timestamps",
    ],
    [
      "holds",
      {
        rows: [
          { ...kept, kept: 1400, windowScale: 1, sack: 1 },
          { offered: 536, kept: 536, timestamps: 1, windowScale: 1, sack: 1 },
        ],
      },
      "everything comes back",
    ],
  ]);

  describe("refuse evidence that cannot decide", () => {
    undecidable(
      37,
      { withCookies: { ...cookies, cookiesSent: 0 } },
      "Most of that flood was not answered by cookies.",
      "Set tcp_syncookies to 2, or flood more than the queue holds.",
    );
    undecidable(
      56,
      { withCookies: { ...cookies, cookiesSent: 0 } },
      "No cookie was sent.",
      "Set tcp_syncookies to 2, or flood more than the queue holds.",
    );
    undecidable(
      38,
      { syns: 50_000, reached: 50_000, answered: 129, rate: 2e5, cookies: 0 },
      "Without SYN cookies a full SYN queue answers no SYN, whatever the rate.",
      "Set tcp_syncookies to 1, the default, or 2.",
    );
    undecidable(
      38,
      { syns: 10, reached: 10, answered: 10, rate: 1 },
      "10 SYNs are not excessive.",
      "Send some ten thousand SYNs.",
    );
    undecidable(
      39,
      { tool: "nft", syns: 0, answered: 0, entries: 0, reached: 0 },
      "No SYN was sent.",
      "Send some after the rule is set.",
    );
    undecidable(
      54,
      { without: { ...flooded, cookies: 1 } },
      "This claim is about a kernel without SYN cookies.",
      "Set tcp_syncookies to 0.",
    );
    undecidable(
      54,
      { without: flooded, calm: { ...calm, connected: 10 } },
      "Without a flood the clients did not connect either.",
      "Find out what else keeps them out.",
    );
    undecidable(57, { with: flooded }, "No cookie was sent.", "Flood the listener with tcp_syncookies 1 or 2.");
    undecidable(58, { value: 1, rows: [under(1, 83)] }, "Settings 0 and 1 must be compared.", "Measure both.");
    undecidable(55, { rows: [kept] }, "One connection cannot show what is kept.", "Offer several MSS values.");
  });
});
