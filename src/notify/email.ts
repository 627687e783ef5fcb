import { connect, type Socket } from 'node:net';
import nodemailer from 'nodemailer';
import type { EmailConfig } from '../core/alerts/alerts-config.ts';
import type { Message } from '../core/alerts/compose-message.ts';
import { describeMessage } from '../core/alerts/describe-message.ts';
import type { Channel, Sent } from './channel.ts';
import { judgeFailure } from './judge-answer.ts';

/** One mail for each message. Mails about one alert are one thread, and every attempt has the same Message-ID. */
export function createEmail(config: EmailConfig): Channel {
  const domain = /@([^\s<>@]+?)>?$/.exec(config.from)?.[1] ?? 'mcp-vitals.invalid';
  return {
    async send(message, { idempotencyKey, signal }) {
      signal.throwIfAborted();
      const { open, destroy } = createSocketSource();
      signal.addEventListener('abort', destroy, { once: true });
      const transport = nodemailer.createTransport({
        ...settingsOf(config.smtpUrl, config.timeoutMs),
        getSocket: open,
      });
      try {
        const info = await transport.sendMail({
          ...mailOf(message, idempotencyKey, domain),
          from: config.from,
          to: [...config.to],
        });
        const left =
          info.rejected.length === 0 ? '' : ` (not for ${info.rejected.length} of ${config.to.length})`;
        return { state: 'accepted', answer: `${info.response}${left}` };
      } catch (error) {
        return judgeSmtp(error, signal);
      } finally {
        signal.removeEventListener('abort', destroy);
        destroy();
      }
    },
  };
}

/** The sockets of one attempt: an attempt that is cut short must not go on in the background. */
function createSocketSource() {
  const sockets: Socket[] = [];
  return {
    open(
      options: { host?: string | undefined; port?: number | string | undefined },
      done: (error: Error | null, socket?: { connection: Socket }) => void,
    ): void {
      const socket = connect(Number(options.port), options.host ?? 'localhost');
      sockets.push(socket);
      const fail = (error: Error) => {
        socket.off('close', close);
        done(error);
      };
      // Destroyed before it was connected, it has no error to tell.
      const close = () => done(new Error('the connection was closed'));
      socket.once('error', fail).once('close', close);
      socket.once('connect', () => {
        socket.off('error', fail).off('close', close);
        done(null, { connection: socket });
      });
    },
    destroy(): void {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function settingsOf(smtpUrl: string, timeoutMs: number) {
  const url = new URL(smtpUrl);
  const secure = url.protocol === 'smtps:';
  const user = decodeURIComponent(url.username);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    // A password is never sent in the clear to another machine.
    requireTLS: !secure && user !== '' && !['localhost', '127.0.0.1', '[::1]'].includes(url.hostname),
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function mailOf(message: Message, id: string, domain: string) {
  const threads = message.maintenance
    ? [`<maintenance.${message.maintenance.id}@${domain}>`]
    : message.alerts.map((news) => `<alert.${news.id}@${domain}>`);
  const [first] = threads;
  return {
    subject: message.subject,
    text: `${describeMessage(message)}\n`,
    messageId: `<${id}@${domain}>`,
    date: new Date(message.createdAt),
    ...(first === undefined ? {} : { inReplyTo: first, references: threads }),
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Vitals-Delivery': id },
  };
}

/** 5xx is for good, 4xx for now, and a lost connection says neither. */
function judgeSmtp(error: unknown, signal: AbortSignal): Sent {
  const code = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : 0;
  const refused = judgeFailure(error, signal);
  return refused.state === 'refused' && code >= 500 ? { ...refused, permanent: true } : refused;
}
