// Reads a JSON list of front matter blocks from stdin and writes what the strict YAML parser makes of each.
import { text } from "node:stream/consumers";
import { parseDocument } from "yaml";

const notes = JSON.parse(await text(process.stdin));
const read = notes.map((source) => {
  const document = parseDocument(source, { strict: true, uniqueKeys: true, version: "1.2" });
  const problems = [...document.errors, ...document.warnings].map((problem) => problem.message);
  return { problems, value: problems.length ? null : document.toJS() };
});
process.stdout.write(JSON.stringify(read));
