import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { EmailConfig } from '../../../src/core/alerts/alerts-config.ts';
import { createChannel } from '../../../src/notify/create-channel.ts';
import { messageOf, newsOf, over } from '../../support/messages.ts';
import { type Mail, readMail, startSmtpSink } from '../../support/smtp-sink.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function startSmtp(refuse: Parameters<typeof startSmtpSink>[0] = {}) {
  const sink = await startSmtpSink(refuse);
  ends.push(sink.close);
  return sink;
}

const configOf = (port: number, changes: Partial<EmailConfig> = {}): EmailConfig => ({
  type: 'email',
  smtpUrl: `smtp://127.0.0.1:${port}`,
  from: 'Vitals <vitals@example.com>',
  to: ['a@example.com', 'b@example.com'],
  timeoutMs: 5_000,
  giveUpAfterMs: 60_000,
  ...changes,
});
const send = (config: EmailConfig, message = messageOf(), signal = AbortSignal.timeout(10_000)) =>
  createChannel(config).send(message, { idempotencyKey: 'key', signal, nowMs: 0 });
const header = (mail: Mail | undefined, name: string) =>
  mail && readMail(mail.text).headers.get(name.toLowerCase())?.at(0);

describe('e-mail', () => {
  test('is sent once to all, with a stable Message-ID; mails about one alert are one thread', async () => {
    const { mails, port } = await startSmtp();
    expect(await send(configOf(port, { smtpUrl: `smtp://user:p%40ss@127.0.0.1:${port}` }))).toMatchObject({
      state: 'accepted',
    });
    expect(
      await send(configOf(port), messageOf([newsOf(over)], { subject: '[RESOLVED] Server A is down' })),
    ).toMatchObject({
      state: 'accepted',
    });
    const [first, second] = mails;
    expect(first).toMatchObject({ from: 'vitals@example.com', to: ['a@example.com', 'b@example.com'] });
    expect(header(first, 'Subject')).toBe('[FIRING] Server A is down');
    expect(header(first, 'Message-ID')).toBe('<key@example.com>');
    expect(header(first, 'In-Reply-To')).toBe(`<alert.${newsOf().id}@example.com>`);
    expect(header(second, 'References')).toBe(header(first, 'References'));
    expect(header(second, 'Subject')).toBe('[RESOLVED] Server A is down');
    expect(first?.text).toContain('connection <refused> & gone');
  });

  test('no text becomes a header', async () => {
    const { mails, port } = await startSmtp();
    const message = messageOf([newsOf({ title: 'x\r\nBcc: evil@example.com' })], {
      subject: 'x\r\nBcc: evil@example.com',
    });
    await send(configOf(port), message);
    expect(header(mails[0], 'Bcc')).toBeUndefined();
    expect(mails[0]?.to).not.toContain('evil@example.com');
  });

  test.each([
    ['from', 550, true],
    ['from', 450, false],
    ['data', 554, true],
    ['data', 451, false],
  ] as const)('refused at %s with %i: for good %s', async (at, code, permanent) => {
    const { port } = await startSmtp({ at, code });
    expect(await send(configOf(port))).toMatchObject({
      state: 'refused',
      permanent,
      problem: expect.stringContaining('not today'),
    });
  });

  test('a wrong password is told without it', async () => {
    const { port } = await startSmtp();
    const sent = await send(configOf(port, { smtpUrl: `smtp://user:hunter2hunter2@127.0.0.1:${port}` }));
    expect(sent).toMatchObject({ state: 'refused', permanent: true });
    expect(JSON.stringify(sent)).not.toContain('hunter2');
  });

  test('nobody there, and a server that says nothing: tried again', async () => {
    expect(await send(configOf(1))).toMatchObject({ state: 'refused', permanent: false });
    const { port } = await startSilent();
    expect(await send(configOf(port, { timeoutMs: 200 }))).toMatchObject({
      state: 'refused',
      permanent: false,
    });
  });

  test('an attempt that is cut short leaves no connection', async () => {
    const { port, closed, connected } = await startSilent();
    const cut = new AbortController();
    const sending = send(configOf(port), messageOf(), cut.signal);
    await connected;
    cut.abort(new Error('cut'));
    await expect(sending).rejects.toThrow('cut');
    await closed;
  });
});

async function startSilent() {
  let connect: (socket: Socket) => void = () => undefined;
  const connected = new Promise<Socket>((resolve) => {
    connect = resolve;
  });
  const server: Server = createServer((socket) => connect(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  const closed = connected.then((socket) => {
    socket.resume().on('error', () => undefined);
    return new Promise((resolve) => socket.once('close', resolve));
  });
  return { port: (server.address() as AddressInfo).port, connected, closed };
}
