import type { AlertsConfig, ChannelConfig } from './alerts-config.ts';

/** What of an alerts configuration must not be read in a log line or an error: keys, and addresses that hold one. */
export function secretsOfAlerts(config: AlertsConfig): string[] {
  const secrets = [...config.channels.values()].flatMap(secretsOfChannel);
  if (config.heartbeat) secrets.push(...secretsOfAddress(config.heartbeat.url));
  return [...new Set(secrets)];
}

export function secretsOfChannel(channel: ChannelConfig): string[] {
  switch (channel.type) {
    case 'webhook':
      return [
        ...secretsOfAddress(channel.url),
        ...(channel.secret === null ? [] : [channel.secret]),
        ...Object.values(channel.headers),
      ];
    case 'slack':
      return secretsOfAddress(channel.url);
    case 'email':
      return secretsOfAddress(channel.smtpUrl);
    case 'pagerduty':
      return [channel.routingKey, ...secretsOfAddress(channel.url)];
    case 'alertmanager':
      return [...secretsOfAddress(channel.url), ...Object.values(channel.headers)];
    case 'apprise':
      return [
        ...secretsOfAddress(channel.url),
        ...Object.values(channel.headers),
        ...(channel.key === null ? [] : [channel.key]),
        ...channel.urls,
      ];
  }
}

/** Long enough to be a key, and no word of an API's path. */
const KEY = /^(?=.*\d).{10,}$|^.{16,}$/;

/** A hook's key stands in its path, a service's in its query or before the host. */
function secretsOfAddress(address: string): string[] {
  const url = new URL(address);
  const parts = [
    url.password,
    ...url.pathname.split('/').filter((part) => KEY.test(part)),
    ...url.searchParams.values(),
  ].filter((part) => part.length >= 6);
  // Another protocol's URL keeps its user info as it was written.
  return [...parts, ...parts.map(decoded), ...(parts.length > 0 ? [address] : [])];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A text of others, who may repeat what they were sent, without any of the secrets that are long enough to tell. */
export const redactSecrets = (text: string, secrets: readonly string[]): string =>
  secrets
    .filter((secret) => secret.length >= 6)
    .sort((one, other) => other.length - one.length)
    .reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text);
