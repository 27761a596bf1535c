import { isIPv6 } from "node:net";

/** A range of addresses: its parts (four of eight bits, or eight of sixteen), and how many bits of them count. */
type Range = readonly [parts: readonly number[], bits: number];

// The part that runs at CloudFront. Its runtime is a small JavaScript: no modules, no BigInt, no network.
// Source: CloudFront developer guide, "JavaScript runtime 2.0 features for CloudFront Functions".
const AT_THE_EDGE = `
function partsOf(ip) {
  if (ip.indexOf(':') < 0) return ip.split('.').map(Number);
  var halves = ip.split('::');
  var read = function (text) {
    return text ? text.split(':').map(function (part) { return parseInt(part, 16); }) : [];
  };
  var head = read(halves[0]);
  if (halves.length < 2) return head;
  var tail = read(halves[1]);
  while (head.length + tail.length < 8) head.push(0);
  return head.concat(tail);
}
function isIn(parts, range) {
  if (parts.length !== range[0].length) return false;
  var width = parts.length === 4 ? 8 : 16;
  for (var i = 0, left = range[1]; left > 0; i++, left -= width) {
    var shift = left >= width ? 0 : width - left;
    if (parts[i] >> shift !== range[0][i] >> shift) return false;
  }
  return true;
}
function handler(event) {
  var parts = partsOf(event.viewer.ip);
  if (VIEWERS.some(function (range) { return isIn(parts, range); })) return event.request;
  return { statusCode: 403, statusDescription: 'Forbidden' };
}
`;

/** Returns the parts of an address, as `partsOf` at the edge does. */
function partsOf(ip: string): number[] {
  if (!isIPv6(ip)) return ip.split(".").map(Number);
  const { hostname } = new URL(`http://[${ip}]`); // written out: "::ffff:1.2.3.4" has no dots then
  const [head = "", tail] = hostname.slice(1, -1).split("::");
  const read = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((part) => Number.parseInt(part, 16));
  const [first, last] = [read(head), read(tail ?? "")];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function rangeOf(cidr: string): Range {
  const [ip = "", bits = ""] = cidr.split("/");
  return [partsOf(ip), Number(bits)];
}

/**
 * Returns the code of a CloudFront Function that lets in requests of the ranges in `viewers` (CIDR blocks, of IPv4 and IPv6) and
 * answers all others 403, nobody where there is none. It costs next to nothing, and it keeps no log and no rate.
 */
export const viewersOnly = (viewers: readonly string[]): string =>
  `var VIEWERS = ${JSON.stringify(viewers.map(rangeOf))};${AT_THE_EDGE}`;
