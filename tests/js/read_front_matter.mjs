// Reads a JSON list of front matter blocks from stdin and writes what the strict YAML parser makes of each.
import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";

const notes = JSON.parse(readFileSync(0, "utf8"));
const read = notes.map((source) => {
  const document = parseDocument(source, { strict: true, uniqueKeys: true, version: "1.2" });
  const problems = [...document.errors, ...document.warnings].map((problem) => problem.message);
  return { problems, value: problems.length ? null : document.toJS() };
});
process.stdout.write(JSON.stringify(read));
