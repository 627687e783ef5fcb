const loader = new URL('./typescript-loader.mjs', import.meta.url).href;

/** vitest's global set-up: children of the tests, the embedded database's keeper among them, run our sources as they are. */
export default function letChildrenRunTypescript(): void {
  const given = process.env.NODE_OPTIONS ?? '';
  if (!given.includes(loader)) process.env.NODE_OPTIONS = `${given} --import ${loader}`.trim();
}
