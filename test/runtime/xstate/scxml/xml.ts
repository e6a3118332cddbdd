// As much XML as the documents need: elements with attributes, text between them, comments.

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const TOKEN = /<!--[\s\S]*?-->|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|([^<]+)/g;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** @throws Error when an element is not closed */
export function parseXml(source: string): Element {
  const root = { name: "", attributes: {}, children: [] as Element[], text: "" };
  const open = [root];
  for (const [, slash, name = "", attributes = "", empty, text] of source.matchAll(TOKEN)) {
    const top = open.at(-1) as typeof root;
    if (text !== undefined) top.text += unescaped(text);
    else if (slash === "/") {
      if (top.name !== name) throw new Error(`</${name}> closes <${top.name}>`);
      open.pop();
    } else if (name !== "") {
      const element = {
        name,
        attributes: Object.fromEntries([...attributes.matchAll(ATTRIBUTE)].map(([, key, double, single]) => [key, unescaped(double ?? single ?? "")])),
        children: [],
        text: "",
      };
      top.children.push(element);
      if (empty !== "/") open.push(element);
    }
  }
  const [only] = root.children;
  if (open.length !== 1 || only === undefined) throw new Error(`<${open.at(-1)?.name ?? ""}> is not closed`);
  return only;
}

function unescaped(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
