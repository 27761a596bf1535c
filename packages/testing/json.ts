import fc from "fast-check";

/**
 * Returns `text` as a key of a JSON object that `JSON.parse` can be trusted with: a backslash becomes a slash.
 *
 * Node 24.21.0 is wrong about others. Once it has read `{"a":1,"\\":2}`, it reads `{"a":1,"\"":2}` as that object: V8
 * compares the key it expects next with the text before escapes are resolved, so that a key which holds a backslash fits
 * another whose text has an escape in its place. A property that sends such keys through jsonb or `JSON.parse` would
 * fail for the runtime's sake. `json.test.ts` tells when the pinned Node is mended.
 */
export const readableKey = (text: string): string => text.replaceAll("\\", "/");

/** Generates such keys: printable ASCII, quotes and so escapes included. */
export const jsonKey: fc.Arbitrary<string> = fc.string({ unit: "grapheme-ascii", maxLength: 4 }).map(readableKey);

/** Generates JSON values of any shape, their keys of `jsonKey`. */
export const jsonValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: "grapheme" }),
    fc.array(tie("value")),
    fc.dictionary(jsonKey, tie("value"), { noNullPrototype: true }),
  ),
})).value;
