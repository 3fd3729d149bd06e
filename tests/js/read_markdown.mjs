// What remark (CommonMark, GFM, math) reads in Markdown: runs of text with their styles, and the kinds of nodes.
// In: JSON list of sources. Out: JSON list of {runs: [[text, [style, …]], …], kinds: [kind, …]}.
import { text } from "node:stream/consumers";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import remarkParse from "remark-parse";
import { unified } from "unified";

const parser = unified().use(remarkParse).use(remarkGfm).use(remarkMath);
const STYLES = { strong: "bold", emphasis: "italic", delete: "strike", blockquote: "quote" };
const HTML = { b: "bold", i: "italic", u: "underline", span: "spoiler" };
const EXPECTED = new Set(["root", "paragraph", "text", "break", "html", "inlineCode", "code", "link", ...Object.keys(STYLES)]);

function read(source) {
  const runs = [];
  const kinds = new Set();
  const open = [];
  function walk(node, around) {
    if (!EXPECTED.has(node.type)) kinds.add(node.type);
    if (node.type === "text" || node.type === "inlineCode" || node.type === "code") {
      const style = { inlineCode: "code", code: "pre" }[node.type];
      runs.push([node.value, [...new Set([...around, ...open, ...(style ? [style] : [])])].sort()]);
    } else if (node.type === "html") {
      const match = /^<(\/?)(b|i|u|span)(?: class="tg-spoiler")?>$/.exec(node.value);
      if (!match) kinds.add(`html ${node.value}`);
      else if (match[1]) open.splice(open.lastIndexOf(HTML[match[2]]), 1);
      else open.push(HTML[match[2]]);
    }
    const own = node.type === "link" ? `link ${node.url}` : STYLES[node.type];
    for (const child of node.children ?? []) walk(child, own ? [...around, own] : around);
  }
  walk(parser.parse(source), []);
  return { runs, kinds: [...kinds] };
}

process.stdout.write(JSON.stringify(JSON.parse(await text(process.stdin)).map(read)));
