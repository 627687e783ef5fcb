import { expect, test } from 'vitest';
import { createLogger, type LogOptions, type LogSurroundings } from '../../../src/logging/create-logger.ts';

function collect(
  surroundings: LogSurroundings & { isTTY?: boolean } = {},
  options: Partial<LogOptions> = {},
) {
  const lines: string[] = [];
  const stream = {
    isTTY: surroundings.isTTY ?? false,
    write: (line: string) => lines.push(line),
  };
  const logging = createLogger({ level: 'info', format: 'auto', ...options }, { ...surroundings, stream });
  return { ...logging, lines, text: () => lines.join(''), json: () => JSON.parse(lines.at(-1) ?? '') };
}

test('JSON lines off a terminal, with the level in words', () => {
  const { logger, lines, json } = collect();
  logger.debug('hidden');
  logger.info({ serverId: 's1' }, 'status changed');
  expect(lines).toHaveLength(1);
  expect(json()).toMatchObject({ level: 'info', serverId: 's1', msg: 'status changed' });
});

test('pretty lines on a terminal, unless the format says otherwise', () => {
  const terminal = collect({ isTTY: true, color: false });
  terminal.logger.info({ serverId: 's1' }, 'status changed');
  expect(terminal.text()).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: status changed \{"serverId":"s1"\}\n$/);
  const json = collect({ isTTY: true }, { format: 'json' });
  json.logger.info('x');
  expect(json.json().msg).toBe('x');
  const pretty = collect({ color: false }, { format: 'pretty' });
  pretty.logger.warn('x');
  expect(pretty.text()).toContain('WARN: x');
});

test('colours are written only where they are wanted', () => {
  const plain = collect({ isTTY: true, color: false });
  plain.logger.info('x');
  expect(plain.text()).not.toContain('\u001b[');
  const coloured = collect({ isTTY: true });
  coloured.logger.info('x');
  expect(coloured.text()).toContain('\u001b[');
});

test('names that mean secrets are redacted at any depth, in any spelling', () => {
  const { logger, json } = collect();
  logger.info({
    authConfig: { bearerToken: 'abcdefgh' },
    server: {
      auth_config: { custom: {} },
      request: { headers: { Authorization: 'Bearer xyz', accept: 'a/b' } },
    },
    list: [{ password: 'p', client_secret: 's', 'X-API-Key': 'k', token: 5 }],
    token: null,
    tokens: 12,
  });
  expect(json()).toMatchObject({
    authConfig: '[redacted]',
    server: {
      auth_config: '[redacted]',
      request: { headers: { Authorization: '[redacted]', accept: 'a/b' } },
    },
    list: [
      { password: '[redacted]', client_secret: '[redacted]', 'X-API-Key': '[redacted]', token: '[redacted]' },
    ],
    token: null,
    tokens: 12,
  });
});

test('known values are redacted in messages, errors, causes, stacks, child bindings and names', () => {
  const secret = 'hunter"2\\é';
  const { logger, lines, text, json } = collect({ secrets: [secret] });
  const error = new Error(`bad login ${secret}`, { cause: new Error(`because ${secret}`) });
  logger.error({ err: error, [secret]: { deep: [`x${secret}y`] } }, `failed: ${secret}`);
  const parsed = json();
  expect(parsed.msg).toBe('failed: [redacted]');
  expect(parsed.err.message).toContain('bad login [redacted]');
  expect(parsed.err.stack).toContain('[redacted]');
  logger.child({ who: secret }).info('child');
  expect(json().who).toBe('[redacted]');
  expect(lines).toHaveLength(2);
  expect(text()).not.toContain('hunter');
});

test('a pretty line is redacted too', () => {
  const { logger, text } = collect({ secrets: ['hunter22'], isTTY: true, color: false });
  logger.error(new Error('no hunter22'), 'with hunter22');
  expect(text()).toContain('[redacted]');
  expect(text()).not.toContain('hunter22');
});

test('a secret of digits never breaks the line', () => {
  const { logger, json } = collect({ secrets: ['123456'] });
  logger.info({ at: 1_123_456_789, other: 7 }, 'pin 123456');
  expect(json()).toMatchObject({ at: '[redacted]', other: 7, msg: 'pin [redacted]' });
});

test('short values are left alone', () => {
  const { logger, json } = collect({ secrets: ['info', 'a'] });
  logger.info('all is well');
  expect(json()).toMatchObject({ level: 'info', msg: 'all is well' });
});

test('a registration lasts until it is removed, and each only counts once', () => {
  const { logger, addSecret, json } = collect();
  const removeFirst = addSecret('s3cr3t-value');
  const removeSecond = addSecret('s3cr3t-value');
  removeFirst();
  removeFirst();
  logger.info('s3cr3t-value');
  expect(json().msg).toBe('[redacted]');
  removeSecond();
  logger.info('s3cr3t-value');
  expect(json().msg).toBe('s3cr3t-value');
});

test('one secret inside another leaves no rest behind', () => {
  const { logger, json } = collect({ secrets: ['abcdef', 'abcdef-and-more'] });
  logger.info('abcdef-and-more');
  expect(json().msg).toBe('[redacted]');
});

test('credentials of URLs are stripped wherever one stands', () => {
  const { logger, text, json } = collect();
  logger.info({ url: 'https://user:pa%20ss@h.example:8443/mcp?api_key=k123&x=1' }, 'to redis://:pw@r:6379/0');
  expect(json()).toMatchObject({
    url: 'https://h.example:8443/mcp?api_key=[redacted]&x=1',
    msg: 'to redis://r:6379/0',
  });
  expect(text()).not.toMatch(/pa%20ss|k123|:pw@/);
});

test('what a target sent cannot steer the terminal', () => {
  const { logger, text } = collect({ isTTY: true, color: false });
  logger.info({ name: 'a\u001b[2Jb' }, 'evil \u001b]0;x\u0007 \u009b31m \r back\\slash \\u001b');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
  expect(text()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect(text()).toContain('evil \\u001b]0;x\\u0007 \\u009b31m \\r back\\slash \\u001b');
});
