import {
  commandPrefixes,
  file,
  folder,
  integer,
  listenHost,
  networkList,
  oneOf,
  postgresUrl,
  redisUrl,
  type Shape,
  sealingKeys,
} from './shapes.ts';

/** One thing that the environment can set. `.env.example` and docs/configuration.md are held to it. */
export interface Variable<T> {
  name: string;
  /** As one would write it; empty when nothing is the default. */
  default: string;
  meaning: string;
  shape: Shape<T>;
  /** The value may hold a password: it is never shown, not even in part. */
  secret: boolean;
}

function variable<T>(
  name: string,
  shape: Shape<T>,
  defaultText: string,
  meaning: string,
  { secret = false } = {},
): Variable<T> {
  return { name, default: defaultText, meaning, shape, secret };
}

/** Every variable, in the order in which a reader wants to meet them. */
export const VARIABLES = {
  nodeEnv: variable(
    'NODE_ENV',
    oneOf('development', 'test', 'production'),
    'development',
    'What this installation is for. In production, db:reset needs --force.',
  ),
  databaseUrl: variable(
    'DATABASE_URL',
    postgresUrl,
    '',
    'The PostgreSQL database (14 or later) that the gateway uses. Unset: an embedded PostgreSQL is started.',
    { secret: true },
  ),
  databasePoolSize: variable(
    'DATABASE_POOL_SIZE',
    integer(2, 1000),
    '20',
    'How many database connections this process may hold.',
  ),
  redisUrl: variable(
    'REDIS_URL',
    redisUrl,
    '',
    'The Redis or Valkey that carries the queue. Unset: the queue lives in the database.',
    { secret: true },
  ),
  dataDir: variable(
    'VITALS_DATA_DIR',
    folder,
    '.mcp-vitals',
    'Where the embedded database and other files of the running worker are kept.',
  ),
  httpHost: variable(
    'VITALS_HTTP_HOST',
    listenHost,
    '127.0.0.1',
    'The address that /metrics, /livez and /readyz listen on. 0.0.0.0 means every interface.',
  ),
  httpPort: variable(
    'VITALS_HTTP_PORT',
    integer(0, 65535),
    '9464',
    'The port that they listen on. 0 means any free one.',
  ),
  logLevel: variable(
    'VITALS_LOG_LEVEL',
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal'),
    'info',
    'The least important log lines to write. debug has one line for each probe.',
  ),
  logFormat: variable(
    'VITALS_LOG_FORMAT',
    oneOf('auto', 'json', 'pretty'),
    'auto',
    'How log lines look: auto is pretty on a terminal and JSON elsewhere.',
  ),
  probeConcurrency: variable(
    'VITALS_PROBE_CONCURRENCY',
    integer(1, 10_000),
    '64',
    'How many probes this process runs at the same time.',
  ),
  probePerHost: variable(
    'VITALS_PROBE_PER_HOST',
    integer(1, 1000),
    '4',
    'How many of them may be on one host.',
  ),
  probeTimeoutMs: variable(
    'VITALS_PROBE_TIMEOUT_MS',
    integer(100, 600_000),
    '10000',
    'The deadline of a whole probe, in milliseconds, where the server’s settings.timeout does not say.',
  ),
  sweepIntervalMs: variable(
    'VITALS_SWEEP_INTERVAL_MS',
    integer(100, 60_000),
    '1000',
    'How often to look for servers that are due, in milliseconds.',
  ),
  sweepBatch: variable(
    'VITALS_SWEEP_BATCH',
    integer(1, 100_000),
    '500',
    'How many due servers one look may claim.',
  ),
  egress: variable(
    'VITALS_EGRESS',
    oneOf('open', 'strict'),
    '',
    'Which addresses may be probed: strict allows public ones only, open allows all. Unset: strict when DATABASE_URL is set, open when embedded.',
  ),
  egressAllow: variable(
    'VITALS_EGRESS_ALLOW',
    networkList,
    '',
    'What may be probed although strict forbids it.',
  ),
  stdioAllow: variable(
    'VITALS_STDIO_ALLOW',
    commandPrefixes,
    '',
    'Which commands of stdio servers the daemon runs. Unset: none when DATABASE_URL is set, all when embedded.',
  ),
  stdioMaxProcesses: variable(
    'VITALS_STDIO_MAX_PROCESSES',
    integer(1, 100_000),
    '100',
    'How many processes the command of a stdio server may have at once. More, and all of them are ended.',
  ),
  secretKey: variable(
    'VITALS_SECRET_KEY',
    sealingKeys,
    '',
    'The keys that seal the credentials of servers in the registry. The first one seals, all of them open.',
    { secret: true },
  ),
  policyFile: variable(
    'VITALS_POLICY_FILE',
    file,
    '',
    'A YAML file of how states are decided: thresholds, objectives, maintenance. Unset: the defaults. Read again when it changes.',
  ),
  alertsFile: variable(
    'VITALS_ALERTS_FILE',
    file,
    '',
    'A YAML file of who is told of what: channels and routes. Unset: nobody is. Read again when it changes.',
  ),
  shutdownMs: variable(
    'VITALS_SHUTDOWN_MS',
    integer(0, 600_000),
    '15000',
    'How long a stop may take, in milliseconds, before what is left is let go.',
  ),
} as const;
