import { expect, test } from "vitest";
import { reasonless, scoresOf } from "./score.ts";

const results = (file: string, ...statuses: readonly string[]) =>
  statuses.map((status) => ({ fileName: file, status: status as "Killed" }));

test("a file's score counts what was found among what could be: a mutant that no test reaches has survived", () => {
  const all = [
    ...results("a.ts", "Killed", "Killed", "Timeout", "Survived", "NoCoverage", "Ignored", "RuntimeError"),
    ...results("b.ts", "Survived"),
  ];
  expect(scoresOf(["a.ts", "b.ts", "types.ts"], all)).toEqual([
    { file: "a.ts", killed: 3, survived: 2, ignored: 1, percent: 60 },
    { file: "b.ts", killed: 0, survived: 1, ignored: 0, percent: 0 },
    { file: "types.ts", killed: 0, survived: 0, ignored: 0, percent: 100 },
  ]);
});

test("a mutant is left out with its reason beside it, or is named", () => {
  const source = [
    "// Stryker disable next-line EqualityOperator: -0n is 0n",
    "// Stryker disable next-line all",
    "/* Stryker disable all */",
    "/* Stryker disable all: the table of a standard */",
    "// Stryker restore all",
    "// Stryker disable next-line EqualityOperator:   ",
  ].join("\n");
  expect(reasonless("a.ts", source)).toEqual(
    [2, 3, 6].map((line) => `a.ts:${line} leaves mutants out without a reason`),
  );
});
