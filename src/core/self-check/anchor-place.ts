const PORTS: Record<string, number> = { 'http:': 80, 'https:': 443, 'ws:': 80, 'wss:': 443 };

/** Where an anchor is; null when it is neither a URL of http or WebSocket nor host:port. */
export function anchorPlace(anchor: string): { host: string; port: number } | null {
  const text = anchor.includes('://') ? anchor : `tcp://${anchor}`;
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const port = url.port === '' ? PORTS[url.protocol] : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return host === '' || port === undefined || port === 0 ? null : { host, port };
}
