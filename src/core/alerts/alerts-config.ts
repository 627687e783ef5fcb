import type { AlertKind, Severity } from './alert.ts';

/** Who is told of what: the alerts file, defaults filled in and secrets resolved. Times are in milliseconds. */
export interface AlertsConfig {
  /** By name. */
  channels: ReadonlyMap<string, ChannelConfig>;
  /** In order: the first that matches takes an alert, and further ones only after `continue`. */
  routes: readonly Route[];
  /** What no route takes, and the timing of what was told before a route changed. */
  fallback: Delivering;
  heartbeat: Heartbeat | null;
}

export interface Heartbeat {
  url: string;
  everyMs: number;
  method: 'GET' | 'POST' | 'HEAD';
}

/** What alerts have in common that go out in one message. */
export const GROUPINGS = ['server', 'tenant', 'kind', 'alert', 'all'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** To whom, and how often. */
export interface Delivering {
  channels: readonly string[];
  groupBy: Grouping;
  /** How long a change waits for others of its group. */
  groupWaitMs: number;
  /** The least time between two messages of one group. */
  groupIntervalMs: number;
  /** How long after the last message an alert that still fires is told of again. */
  repeatIntervalMs: number;
  sendResolved: boolean;
}

export interface Route extends Delivering {
  match: RouteMatch;
  continue: boolean;
}

/** Each field that is not null has to hold the alert's; an alert without a tenant or server matches none. */
export interface RouteMatch {
  tenants: readonly string[] | null;
  /** One of them has to be among the server's tags. */
  tags: readonly string[] | null;
  severities: readonly Severity[] | null;
  kinds: readonly AlertKind[] | null;
  /** Server ids. */
  servers: readonly string[] | null;
}

interface AnyChannel {
  /** The longest that one attempt may take. */
  timeoutMs: number;
  /** Attempts end after this. */
  giveUpAfterMs: number;
}

export interface WebhookConfig extends AnyChannel {
  type: 'webhook';
  url: string;
  /** Of the signature; null: unsigned. */
  secret: string | null;
  headers: Readonly<Record<string, string>>;
}

export interface SlackConfig extends AnyChannel {
  type: 'slack';
  url: string;
}

export interface EmailConfig extends AnyChannel {
  type: 'email';
  smtpUrl: string;
  from: string;
  to: readonly string[];
}

export interface PagerdutyConfig extends AnyChannel {
  type: 'pagerduty';
  url: string;
  routingKey: string;
}

export interface AlertmanagerConfig extends AnyChannel {
  type: 'alertmanager';
  /** Its base; /api/v2/alerts is added. */
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Added to those of each alert. */
  labels: Readonly<Record<string, string>>;
}

export interface AppriseConfig extends AnyChannel {
  type: 'apprise';
  /** The API's base; /notify is added. */
  url: string;
  headers: Readonly<Record<string, string>>;
  /** A configuration that the API keeps; null: `urls` are sent along. */
  key: string | null;
  urls: readonly string[];
  /** Which of the kept configuration's services; null: all. */
  tag: string | null;
}

export type ChannelConfig =
  | WebhookConfig
  | SlackConfig
  | EmailConfig
  | PagerdutyConfig
  | AlertmanagerConfig
  | AppriseConfig;

/** No channel and no route: nobody is told of anything. */
export const NO_ALERTS: AlertsConfig = {
  channels: new Map(),
  routes: [],
  fallback: {
    channels: [],
    groupBy: 'server',
    groupWaitMs: 5_000,
    groupIntervalMs: 30_000,
    repeatIntervalMs: 4 * 3_600_000,
    sendResolved: true,
  },
  heartbeat: null,
};
