import type { AlertNews, Message } from './compose-message.ts';

/** A message as a few paragraphs for people: plain text, nothing escaped. */
export function describeMessage(message: Message): string {
  if (message.maintenance) return describeMaintenance(message.maintenance);
  if (message.alerts.length === 0) return message.subject;
  return message.alerts.map(describeNews).join('\n\n');
}

const WORDS: Readonly<Record<AlertNews['change'], string>> = {
  fire: 'FIRING',
  repeat: 'STILL FIRING',
  resolve: 'RESOLVED',
};

function describeNews(news: AlertNews): string {
  const { server, tenantId, members } = news;
  const facts = [
    `${news.severity}, ${news.kind}`,
    server ? `server ${server.name} (${server.id})` : '',
    tenantId === null ? '' : `tenant ${tenantId}`,
    news.resolvedAt === null ? `since ${news.startedAt}` : `from ${news.startedAt} to ${news.resolvedAt}`,
  ].filter((fact) => fact !== '');
  return [
    `${WORDS[news.change]}: ${news.title}`,
    facts.join('; '),
    members.length === 0 ? '' : `servers: ${members.map(({ name }) => name).join(', ')}`,
    news.description ?? '',
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function describeMaintenance({
  title,
  description,
  phase,
  impact,
  scheduledEnd,
}: NonNullable<Message['maintenance']>) {
  const line = phase === 'started' ? `Maintenance has begun: ${title}` : `Maintenance is over: ${title}`;
  const until = phase === 'started' ? `impact ${impact}, planned until ${scheduledEnd}` : '';
  return [line, until, description ?? ''].filter((text) => text !== '').join('\n');
}
